"""Images, sounds and files that stand inside a message: what they are, and their bytes.

    formats     the type of some bytes, from their first ones
    pixels      the size of an image, from its header
    durations   the length of a sound, from its headers
    inline      base64 or a `data:` URI as `InlineMedia`: digest, size, strict decoding
    finding     where media stand in a message
    describing  what a reader is told: lengths, false claims, why something is withheld
    file_names  names that somebody sent, made harmless
    cache       what pages have shown lately, in a folder all workers share

Values, the standard library and tinytag only. Nothing here believes a type that a message
claims.
"""

from webapp.media.cache import MediaCache
from webapp.media.describing import contradiction, kind_of_file, lacks_end, length, withheld
from webapp.media.file_names import safe_file_name
from webapp.media.finding import images_beside, images_elsewhere, media_at, media_in, media_of
from webapp.media.formats import DOWNLOAD, Format, format_of
from webapp.media.inline import InlineMedia, NotMedia

__all__ = [
    "DOWNLOAD",
    "Format",
    "InlineMedia",
    "MediaCache",
    "NotMedia",
    "contradiction",
    "format_of",
    "images_beside",
    "images_elsewhere",
    "kind_of_file",
    "lacks_end",
    "length",
    "media_at",
    "media_in",
    "media_of",
    "safe_file_name",
    "withheld",
]
