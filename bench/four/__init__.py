"""One enterprise out of four REST systems: their data, the processes that serve them, and a hand-written handler to compare with."""
