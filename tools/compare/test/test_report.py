"""The table: which peer counts, which cycles, and rows that are void."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from pairing import orders, undisturbed
from report import row_of, settings_list, table


def cycle(ours, peers, control=None, stolen=0.0, busy=0.0):
    seconds = {"ours": ours, **peers, "control": ours if control is None else control}
    return {"seconds": seconds, "stolen": dict.fromkeys(seconds, stolen), "busy": dict.fromkeys(seconds, busy)}


def result(cycles, errors=None):
    case = {"name": "c", "title": "work", "aim": 1.5, "amount": 100, "unit": "tok/s", "scale": 1.0, "tolerance": 1e-6,
            "limit": "read_memory", "limit_amount": 50e9, "limit_aim": 0.85}
    return {"case": case, "cycles": cycles, "errors": errors or {}, "infos": {"ours": {"version": "1"}, **{peer: {} for peer in cycles[0]["seconds"]}}, "absent": {},
            "limits": [{"read_memory": 100.0}], "threads": 2}


class Rows(unittest.TestCase):
    def test_the_peer_that_ours_gains_least_on_counts(self):
        row = row_of(result([cycle(1.0, {"slow": 9.0, "fast": 2.0})] * 30))
        self.assertEqual(row.best, "fast")
        self.assertEqual(row.claim(), "at least 2.00 times as fast")

    def test_disturbed_cycles_are_left_out(self):
        calm = [cycle(1.0, {"p": 2.0})] * 30
        row = row_of(result(calm + [cycle(1.0, {"p": 99.0}, stolen=0.02)] * 40 + [cycle(1.0, {"p": 99.0}, busy=0.5)]))
        self.assertEqual((row.ratio.middle, row.ratio.pairs, row.void_pairs), (2.0, 30, 41))

    def test_a_stray_control_makes_the_row_void(self):
        text = table([result([cycle(1.0, {"p": 2.0}, control=1.05)] * 30)])
        self.assertIn("void: control", text)
        self.assertNotIn("at least", text)

    def test_results_that_differ_make_the_row_void(self):
        text = table([result([cycle(1.0, {"p": 2.0})] * 30, {"p": 1e-3})])
        self.assertIn("results differ from p's by 1.0e-03", text)
        self.assertNotIn("at least", text)
        self.assertIn("void", table([result([cycle(1.0, {"p": 2.0})] * 30, {"p": float("nan")})]))

    def test_nothing_undisturbed_is_no_result(self):
        text = table([result([cycle(1.0, {"p": 2.0}, stolen=1.0)])])
        self.assertIn("every pair was disturbed", text)
        self.assertNotIn("at least", text)

    def test_aims_and_limits_are_shown(self):
        text = table([result([cycle(1.0, {"p": 1.4})] * 30)])
        self.assertIn("at least 1.40 times as fast; aim 1.5 not reached", text)
        self.assertIn("50 % of read_memory", text)
        self.assertIn("limits during work: read_memory 100", settings_list([result([cycle(1.0, {"p": 2.0})])]))

    def test_slower_is_no_claim(self):
        text = table([result([cycle(2.0, {"p": 1.0})] * 30)])
        self.assertIn("no claim", text)
        self.assertNotIn("at least", text)


class Orders(unittest.TestCase):
    def test_each_follows_each_other_equally_often(self):
        labels = ["a", "b", "c"]
        before = {}
        for order in orders(labels, 6):
            self.assertEqual(sorted(order), labels)
            for pair in ((x, y) for i, x in enumerate(order) for y in order[i + 1 :]):
                before[pair] = before.get(pair, 0) + 1
        self.assertEqual(set(before.values()), {3})
        self.assertEqual(orders(["a", "b"], 2), [["a", "b"], ["b", "a"]])

    def test_a_disturbed_run_spoils_only_its_own_pairs(self):
        disturbed = cycle(1.0, {"p": 2.0, "q": 2.0})
        disturbed["stolen"]["q"] = 0.05
        self.assertTrue(undisturbed(disturbed, "p"))
        self.assertFalse(undisturbed(disturbed, "q"))
        disturbed["busy"]["ours"] = 0.05
        self.assertFalse(undisturbed(disturbed, "p"))


if __name__ == "__main__":
    unittest.main()
