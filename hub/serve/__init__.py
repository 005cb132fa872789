"""HTTP: the GraphQL endpoint, health, metrics, the explorer page. Knows no system and no storage."""
