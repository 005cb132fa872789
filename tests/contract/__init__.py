"""The contract suite over every kind, each against a real source on loopback."""

import pytest

pytest.register_assert_rewrite("connectors.contract", "connectors.contract_world")
