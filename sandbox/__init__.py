"""The cloud on one machine: stateful emulators of the outside services, for trying and testing."""
