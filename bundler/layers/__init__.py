"""Layers: from wheels, the project's files and the SDK to compressed tars, without unpacking anything to disk.

zip_directory, archive     a wheel's entries, read without trust
scheme, wheel_files        where each goes; scripts: programs; collisions: between wheels
deflate, tar, layer_writer the bytes of a layer, the same on every machine
grouping                   which wheels share a layer
wheel_layer, project_layer, sdk_layer, memory_layer
environment                the virtual environment's frame, in the SDK's layer
bytecode, in_interpreter   compiled ahead of time
reasons                    why a layer was made anew
"""

from bundler.layers.bytecode import Compiler as Compiler
from bundler.layers.bytecode import Skipped as Skipped
from bundler.layers.bytecode import compiler_for as compiler_for
from bundler.layers.collisions import Collision as Collision
from bundler.layers.collisions import collisions as collisions
from bundler.layers.grouping import BUDGET as BUDGET
from bundler.layers.grouping import MOST_LAYERS as MOST_LAYERS
from bundler.layers.grouping import group as group
from bundler.layers.layer_writer import MEDIA_TYPE as MEDIA_TYPE
from bundler.layers.memory_layer import memory_layer as memory_layer
from bundler.layers.project_layer import APP_UID as APP_UID
from bundler.layers.project_layer import project_layer as project_layer
from bundler.layers.scheme import Scheme as Scheme
from bundler.layers.sdk_layer import sdk_layer as sdk_layer
from bundler.layers.wheel_layer import wheel_layer as wheel_layer
from bundler.layers.wheel_layer import wheel_layers as wheel_layers
