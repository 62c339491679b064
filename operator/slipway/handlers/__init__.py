"""The only package that imports kopf: watches, and the life of the process that carries them."""
