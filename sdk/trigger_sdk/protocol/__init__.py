"""What the SDK and the tools agree on: messages, entries, manifest, problems, values.

The tools (engine, executor, devserver, analyzer, bundler, trigger_cli) import this package and no
other part of the SDK. Nothing here touches user code, the network or the disk.
"""
