"""What an operator of the store can do wrong or run into, said in Chinese and English. Knows no SQL."""

from __future__ import annotations


class StoreFault(Exception):
    """A request to the store that cannot be carried out: an unknown client, a key file that does not fit, a newer database."""

    def __init__(self, zh: str, en: str) -> None:
        self.zh = zh
        self.en = en
        super().__init__(f"{zh} {en}")
