"""Where images are written to.

output         what each of them does
choice         which of them a text means
registry       a registry: blobs, manifests, SBOMs, and tags last
layout         a folder as OCI lays it out
tarball        one file that engines and tools read; archive: its bytes
engine         a Docker engine
reading        the bytes of layers, wherever they are
sbom_artifact  an SBOM as what refers to an image
"""

from bundler.image.outputs.choice import output as output
from bundler.image.outputs.output import Output as Output
