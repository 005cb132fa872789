"""One module a step; each says where it comes from and how to go back."""
