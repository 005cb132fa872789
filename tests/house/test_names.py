"""Our top-level names are ours: no locked distribution brings a package called hub, schema, auth and so on."""

from __future__ import annotations

import re
from importlib.metadata import distributions

import pytest

from tests.house.files import PACKAGES, ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")


def locked(name: str) -> dict[str, str]:
    """Distribution -> version, as a lock file has them."""
    return dict(re.findall(r"^([a-z0-9][a-z0-9.-]*)==([^ ;\\]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_no_locked_distribution_bears_our_names(lock: str) -> None:
    assert not locked(lock).keys() & {*PACKAGES}


def test_no_locked_distribution_owns_our_names() -> None:
    names = locked("requirements-dev.lock")
    owned = [
        f"{found.name} brings {file}"
        for found in distributions()
        if found.name.lower().replace("_", "-") in names
        for file in found.files or ()
        if file.parts[0].removesuffix(".py") in PACKAGES
    ]
    assert not owned, owned


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", text)
    assert len(entries) > 20
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert not re.search(r"://|--(extra-)?index-url|--find-links| @ ", text)


def test_the_running_lock_is_part_of_the_development_lock() -> None:
    assert locked("requirements.lock").items() <= locked("requirements-dev.lock").items()
