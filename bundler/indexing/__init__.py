"""Indexing: the project's jobs are imported as they will be in the image, and described.

model      Index
local      with the project's interpreter, in a folder and an environment of its own
in_image   in a container of the image
answer     what the SDK's side (`python -m trigger_sdk.indexing`) says, read without trust
stacks     what the interpreter says of itself when it hangs or crashes
isolated   a process that is followed to its end, whatever it does
"""

from bundler.indexing.in_image import index_in_image as index_in_image
from bundler.indexing.local import index_locally as index_locally
from bundler.indexing.model import Index as Index
