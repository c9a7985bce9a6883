"""Keys and tokens of vendors: by the prefix, by a part in the middle, by the name beside them."""
