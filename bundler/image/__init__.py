"""Images: a base and layers, described by a config, a manifest, an index and an SBOM, and written somewhere.

model                      the values
bases                      where the image that ours is built upon comes from
config, labels, manifest   the JSON of OCI; assembly: all of it at once
sbom                       what is in the image, as CycloneDX
outputs                    a registry, an OCI layout, a Docker engine, a tarball
tar_entries                tars read without trust
"""
