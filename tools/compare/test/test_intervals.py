"""Intervals, and the refusal of claims that they don't support."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from intervals import Interval, Spread, UnsupportedClaim, claim, control_holds, interval_of, nmse, spread_of

EVEN = Interval(0.995, 1.0, 1.005, 30)


class Intervals(unittest.TestCase):
    def test_the_median_lies_within_its_interval(self):
        interval = interval_of([1.0 + 0.01 * i for i in range(31)])
        self.assertAlmostEqual(interval.middle, 1.15)
        self.assertLess(1.0, interval.low)
        self.assertLess(interval.low, interval.middle)
        self.assertLess(interval.middle, interval.high)
        self.assertLess(interval.high, 1.3)

    def test_equal_ratios_leave_no_doubt(self):
        self.assertEqual(interval_of([2.0] * 30), Interval(2.0, 2.0, 2.0, 30))

    def test_outliers_move_it_little(self):
        calm = interval_of([1.1, 1.2, 1.15] * 10)
        self.assertEqual(interval_of([1.1, 1.2, 1.15] * 10 + [50.0]).middle, calm.middle)

    def test_it_is_the_same_every_time(self):
        ratios = [1 + (i * 37 % 17) / 50 for i in range(40)]
        self.assertEqual(interval_of(ratios), interval_of(ratios))

    def test_covers_the_true_median_about_as_often_as_promised(self):
        import random

        draw = random.Random(3)
        covered = 0
        for _ in range(60):
            interval = interval_of([draw.gauss(1.0, 0.1) for _ in range(40)])
            covered += interval.low <= 1.0 <= interval.high
        self.assertGreaterEqual(covered, 52)

    def test_refuses_what_is_no_ratio(self):
        for ratios in ([], [0.0], [-1.0], [float("nan")]):
            with self.assertRaises(ValueError):
                interval_of(ratios)


class Spreads(unittest.TestCase):
    def test_the_mean_lies_within_its_interval(self):
        spread = spread_of([float(i) for i in range(1, 32)])
        self.assertAlmostEqual(spread.mean, 16)
        self.assertTrue(12 < spread.low < 15 < 17 < spread.high < 20, spread)

    def test_what_texts_have_in_common_leaves_no_doubt_of_a_ratio(self):
        texts = [float(2 + i * i % 7) for i in range(20)]
        spread = spread_of([1.5 * text for text in texts], texts)
        for value in (spread.low, spread.mean, spread.high):
            self.assertAlmostEqual(value, 1.5)

    def test_a_ratio_is_of_means(self):
        self.assertAlmostEqual(spread_of([1.0, 9.0], [2.0, 3.0]).mean, 2.0)

    def test_covers_the_true_mean_about_as_often_as_promised(self):
        import random

        draw = random.Random(5)
        spreads = [spread_of([draw.gauss(-1.0, 0.5) for _ in range(24)]) for _ in range(60)]
        self.assertGreaterEqual(sum(s.low <= -1.0 <= s.high for s in spreads), 52)
        self.assertLess(sum(s.low <= -0.7 <= s.high for s in spreads), 20)

    def test_is_shown_in_one_form(self):
        self.assertEqual(Spread(-0.5, 0.0, 1.0).text("+.1f"), "+0.0 [-0.5, +1.0]")

    def test_refuses_texts_that_only_one_has(self):
        for values, others in (([], None), ([1.0], [1.0, 2.0])):
            with self.assertRaises(ValueError):
                spread_of(values, others)


class Claims(unittest.TestCase):
    def refused(self, ratio, control, why):
        with self.assertRaisesRegex(UnsupportedClaim, why):
            claim(ratio, control)

    def test_says_the_lower_end(self):
        self.assertEqual(claim(Interval(1.499, 1.6, 1.7, 30), EVEN), "at least 1.49 times as fast")

    def test_refuses_an_interval_that_reaches_down_to_an_accident(self):
        self.refused(Interval(1.03, 1.5, 1.9, 30), EVEN, "lower end is 1.03, not above 1.03")
        self.refused(Interval(0.5, 0.6, 0.7, 30), EVEN, "lower end")

    def test_refuses_few_pairs(self):
        self.refused(Interval(2.0, 2.1, 2.2, 29), EVEN, "29 pairs, and at least 30")

    def test_refuses_without_a_control(self):
        self.refused(Interval(2.0, 2.1, 2.2, 30), None, "no control")

    def test_refuses_where_the_control_strays(self):
        self.refused(Interval(2.0, 2.1, 2.2, 30), Interval(1.0, 1.03, 1.06, 30), "the control is")

    def test_a_control_must_be_one_within_two_percent(self):
        self.assertTrue(control_holds(Interval(0.97, 0.99, 1.01, 30)))
        self.assertFalse(control_holds(Interval(0.93, 0.975, 1.0, 30)))
        self.assertFalse(control_holds(Interval(1.0, 1.025, 1.03, 30)))


class Errors(unittest.TestCase):
    def test_is_relative(self):
        self.assertEqual(nmse([1.0, 2.0], [1.0, 2.0]), 0.0)
        self.assertAlmostEqual(nmse([11.0, 0.0], [10.0, 0.0]), 0.01)
        self.assertEqual(nmse([1.0], [0.0]), float("inf"))
        with self.assertRaises(ValueError):
            nmse([1.0], [1.0, 2.0])


if __name__ == "__main__":
    unittest.main()
