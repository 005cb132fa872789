"""How a command is run: on uvloop where it waits for something, and with what a person can put right said in a line or two."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rich.console import Console

WRONG, MISUSED, INTERRUPTED, READ_ENOUGH = 1, 2, 130, 141


def run(command: Callable[[], Awaitable[int]]) -> int:
    """Run an asynchronous command on uvloop."""
    import uvloop

    async def whole() -> int:
        return await command()

    return guarded(lambda: uvloop.run(whole()))


def guarded(command: Callable[[], int]) -> int:
    """What a person can put right is said in a line or two, without a trace."""
    from auth.errors import BadClient
    from connectors.spi import SourceError
    from hub.app import BadManifests
    from hub.cli.shared import Fault
    from hub.config import BadConfig
    from hub.store.faults import StoreFault

    say = Console(stderr=True, highlight=False, soft_wrap=True).print
    try:
        return command()
    except BadConfig as error:
        for fault in error.faults:
            say(str(fault), markup=False)
        return MISUSED
    except BadManifests as error:
        from hub.cli.looking import show_faults

        show_faults(error.faults, say)
        return WRONG
    except SourceError as error:
        say(f"{error.kind}: {error.message}" + (f" ({error.detail})" if error.detail else ""), markup=False)
        return WRONG
    except (StoreFault, BadClient, Fault) as error:
        say(str(error), markup=False)
        return WRONG
    except KeyboardInterrupt:
        return INTERRUPTED
