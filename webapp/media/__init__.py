"""Images, sounds and files that stand inside a message: what they are, and their bytes.

    formats   the type of some bytes, from their first ones; the size of an image
    inline    a part's base64 or `data:` text as `InlineMedia`: digest, size, strict decoding
    cache     what pages have shown lately, in a folder all workers share

Standard library and values only. Nothing here believes a type that a message claims.
"""

from webapp.media.cache import MediaCache
from webapp.media.formats import DOWNLOAD, Format, format_of
from webapp.media.inline import InlineMedia, NotMedia

__all__ = ["DOWNLOAD", "Format", "InlineMedia", "MediaCache", "NotMedia", "format_of"]
