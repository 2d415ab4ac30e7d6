"""One name, everywhere: a pass's definition, flag, file, DEBUG_TYPE and test."""

import re

from repository import ROOT, files, finish, kebab, text

# Room of the passes: its sources, the flags' prefix, its tests.
ROOMS = {
    "include/heed/Dialect/Attn/Transforms/Passes.td": ("lib/Dialect/Attn/Transforms", "attn-", "test/Dialect/Attn"),
    "include/heed/Dialect/Attn/Transforms/TiledPasses.td": ("lib/Dialect/Attn/Transforms", "attn-", "test/Dialect/Attn"),
    "include/heed/Transforms/Passes.td": ("lib/Transforms", "heed-", "test/Transforms"),
    "include/heed/Conversion/Passes.td": ("lib/Conversion", "convert-", "test/Conversion"),
}

complaints, checked = [], 0
for table in files("include", suffixes=(".td",)):
    definitions = re.findall(r'^def (\w+)Pass\s*:\s*Pass<"([^"]+)"', text(table), re.M)
    if definitions and str(table) not in ROOMS:
        complaints.append(f"{table} defines passes, and this test knows no room for them")
        continue
    for definition, flag in definitions:
        checked += 1
        sources, prefix, tests = ROOMS[str(table)]
        name = definition.removeprefix("Convert") if prefix == "convert-" else definition
        if flag != prefix + kebab(name):
            complaints.append(f"{table}: {definition}Pass has the flag {flag}, expected {prefix + kebab(name)}")
        source = next((path for path in (f"{sources}/{name}.cpp", f"{sources}/{name}/{name}.cpp") if (ROOT / path).exists()), None)
        if not source:
            complaints.append(f"{table}: {definition}Pass has no {sources}/{name}.cpp")
        else:
            if f"#define GEN_PASS_DEF_{definition.upper()}PASS" not in text(source):
                complaints.append(f"{source} doesn't define {definition}Pass")
            if f'#define DEBUG_TYPE "{flag}"' not in text(source):
                complaints.append(f'{source} has no DEBUG_TYPE "{flag}"')
        test = f"{tests}/{kebab(name)}.mlir"
        if not (ROOT / test).exists():
            complaints.append(f"{flag} has no test {test}")
        elif not re.search(rf"RUN:.*\b{flag}\b", text(test).replace("\\\n", "")):
            complaints.append(f"{test} doesn't run --{flag}")
finish(complaints, checked)
