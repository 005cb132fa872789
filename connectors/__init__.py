"""Connectors: one module per kind of departmental system. They know nothing of GraphQL execution and never import each other."""
