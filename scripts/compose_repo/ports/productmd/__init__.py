"""productmd: composes' metadata, read and written; the only package that imports it."""
