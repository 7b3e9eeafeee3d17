"""Where the image that ours is built upon comes from.

source                 what each of them does
choice                 which of them a text means
registry               a registry, of which no layer is read unless it must
layout, tarball        OCI layouts, what engines save, and plain root file systems
engine                 a Docker engine
selection, description the image for a platform in an index; manifest and config as one value
interpreter, contents  the Python in it, by what its layers hold
"""
