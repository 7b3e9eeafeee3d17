"""Where the image that ours is built upon comes from.

source                   what each of them does
choice                   which of them a text means
registry                 a registry, of which no layer is read unless it must
layout, tarball, engine  a folder, a file, a Docker engine
oci_layout, saved_images, archive_table, contents
                         how images lie in folders and archives
selection, description   the image for a platform in an index; manifest and config as one value
interpreter, layer_contents
                         the Python in it, by what its layers hold
"""

from bundler.image.bases.choice import base_source as base_source
from bundler.image.bases.source import BaseSource as BaseSource
