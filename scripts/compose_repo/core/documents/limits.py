"""The bounds of what is read: how large, how deep, which characters."""

import re
from typing import Final

RESULT_BYTES: Final = 8 * 1024 * 1024
"""Most bytes of a result file: room for 10,000 results of 800 bytes each."""
MANIFEST_BYTES: Final = 4 * 1024 * 1024
"""Most bytes of a manifest: four times that of a whole stream."""
TOML_BYTES: Final = 1024 * 1024
"""Most bytes of a file in gate/."""
ORIGIN_FILES: Final = 5000
"""Most result files of an origin on one compose."""
ORIGIN_BYTES: Final = 256 * 1024 * 1024
"""Most bytes of all result files of an origin on one compose."""
COMMIT_PROBLEMS: Final = 20
"""Most problems of one commit that are named; the others are counted."""
WORD_BYTES: Final = 1024 * 1024
"""Most bytes of a file on a compose server that holds a word, such as STATUS."""
INDEX_BYTES: Final = 4 * 1024 * 1024
"""Most bytes of a folder's index: room for 15,000 entries."""
METADATA_BYTES: Final = 256 * 1024 * 1024
"""Most bytes of a compose's metadata file: ten times the rpms.json of a whole stream."""
FOREIGN_BYTES: Final = 64 * 1024 * 1024
"""Most bytes of another tool's report that is converted."""
DEPTH: Final = 32
"""Most containers inside one another."""
KEYS: Final = 1000
"""Most keys of one object."""
LISTED: Final = 100
"""How many problems of one file are listed, and how much advice on it; nobody looks for more than one beyond that."""
INTEGER: Final = 2**53 - 1
"""The largest whole number that every JSON reader reads alike (RFC 8259, section 6)."""

CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What text may not have: control characters but tab and newline."""
CONTROL_IN_KEY: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
"""What a key may not have: any control character."""
