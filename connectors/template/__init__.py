"""What ``hub new connector`` copies: a connector of one's own, its contract test, and a package around both. Other names are put in."""
