"""The house: imports, names, wheel, documents."""
