"""One module for each program that is measured. Each has prepare(settings) -> an object with run(), check(), info()."""
