"""The nasty cases of the planner's design, each a named test; README.md says which test is which case."""
