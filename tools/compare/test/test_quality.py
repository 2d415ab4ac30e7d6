"""What is lost of a file: the texts, who is measured, and the table."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from cases import Place
from quality import HEADER, commands, rows, texts

PLACE = Place(pathlib.Path("models"), "heed", 2, 1 << 20)


class Rows(unittest.TestCase):
    answer = {"PyTorch F32": {"nmse": [0.0, 0.0], "nll": [3.0, 2.0]}, "Heed": {"nmse": [1e-3, 2e-3], "nll": [3.25, 2.25]},
              "peer": {"nmse": [2e-3, 4e-3], "nll": [2.9, 1.9]}}

    def test_each_has_its_means_and_intervals(self):
        exact, ours, peer = rows("Q4_1", self.answer)
        self.assertEqual(exact, "| Q4_1 | PyTorch F32 | – | – | 2.5000 | – |")
        self.assertEqual(ours, "| Q4_1 | Heed | 1.5e-03 [1.0e-03, 2.0e-03] | 1 | 2.7500 | +0.2500 [+0.2500, +0.2500] |")
        self.assertEqual(peer, "| Q4_1 | peer | 3.0e-03 [2.0e-03, 4.0e-03] | 2.00 [2.00, 2.00] | 2.4000 | -0.1000 [-0.1000, -0.1000] |")
        for line in (exact, ours, peer):
            self.assertEqual(line.count("|"), HEADER.splitlines()[0].count("|"))


class Commands(unittest.TestCase):
    def test_another_flag_is_another_row(self):
        made = commands(PLACE, "Q4_1", ["--mcpu=x86-64-v4"], ["--precise"])
        self.assertEqual(made["Heed"]["flags"], ["--mcpu=x86-64-v4"])
        self.assertEqual(made["Heed --precise"]["flags"], ["--mcpu=x86-64-v4", "--precise"])
        self.assertEqual({row["file"] for row in made.values()}, {str(PLACE.models / "SmolLM2-135M-Instruct.Q4_1.gguf")})

    def test_texts_are_there(self):
        self.assertGreater(len(texts()), 20)
        self.assertTrue(all(pathlib.Path(path).is_file() for path in texts()))


if __name__ == "__main__":
    unittest.main()
