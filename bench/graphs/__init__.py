"""A federation of four subgraphs over the data of ``bench.four``, and another gateway in front of it."""
