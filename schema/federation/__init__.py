"""Federation: graphs that are parts of one graph (Apollo Federation), as one frozen model. See ``schema.federation.model``."""
