"""The story that `coh demo` tells: real commands in a sandbox of its own, each step checked."""
