"""One tracked run: build, train, evaluate, recommend."""
