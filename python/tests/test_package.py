"""The package beside the program: python -m unittest, with FF naming the program and PYTHONPATH this package."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

import forward_forward as ff
import numpy as np

#: Two local layers on the digits of 8 x 8 pixels, and a dense one.
LAYERS = (
    "layers=[{kind='local',grid=[3,3],stride=2,field=4,channels=6},"
    "{kind='local',grid=[2,2],stride=1,field=2,channels=10},{kind='dense',units=40}]"
)

#: One network for every way that a pass through it can go.
NETWORKS = {
    "baseline": ["--recipe", "baseline"],
    "original": ["--recipe", "original"],
    "hinton": ["--recipe", "hinton"],
    "contrast": ["--recipe", "contrast"],
    "head": ["--recipe", "contrast", "--set", "evaluation.predict=head"],
    "ensemble": ["--recipe", "contrast", "--set", "evaluation.predict=ensemble"],
    "ensemble-bce": ["--recipe", "hinton", "--set", "evaluation.predict=ensemble", "--set", "temperature=0.5"],
    "ensemble-of-layers": ["--recipe", "predsim", "--set", "evaluation.predict=ensemble"],
    "unsupervised": ["--recipe", "unsupervised"],
    "backprop": ["--recipe", "backprop"],
    "predsim": ["--recipe", "predsim"],
    "similarity-map": ["--recipe", "predsim", "--set", "similarity_map=true"],
    "topk": ["--recipe", "contrast", "--set", "goodness.function=topk", "--set", "top_k=7"],
    "l1": ["--recipe", "contrast", "--set", "goodness.function=l1"],
    "entmax": ["--recipe", "contrast", "--set", "goodness.function=entmax", "--set", "alpha=1"],
    "margin": ["--recipe", "contrast", "--set", "loss=margin"],
    "minimize": ["--recipe", "baseline", "--set", "goodness.sign=minimize"],
    "overlay": ["--recipe", "contrast", "--set", "label=overlay", "--set", "label_strength=2"],
    "every-layer": ["--recipe", "contrast", "--set", "label=every-layer"],
    "one-layer": ["--recipe", "contrast", "--set", "depth=1"],
    "centered": ["--recipe", "contrast", "--set", "center_images=true"],
    "centered-overlay": ["--recipe", "hinton", "--set", "center_images=true", "--set", "label=overlay"],
    "centered-top-down": ["--recipe", "hinton", "--set", "top_down=true", "--set", "center_images=true"],
    "local": ["--recipe", "contrast", "--set", LAYERS],
    "local-overlay": ["--recipe", "hinton", "--set", LAYERS, "--set", "label=overlay"],
    "local-every-layer": ["--recipe", "contrast", "--set", LAYERS, "--set", "label=every-layer"],
    "local-unsupervised": ["--recipe", "unsupervised", "--set", LAYERS],
    "first-layer": ["--recipe", "hinton", "--set", "first_layer=1"],
    "first-layer-head": ["--recipe", "hinton", "--set", "first_layer=1", "--set", "evaluation.predict=head"],
    "top-down": ["--recipe", "hinton", "--set", "top_down=true"],
    "top-down-head": ["--recipe", "hinton", "--set", "top_down=true", "--set", "evaluation.predict=head"],
    "top-down-local": ["--recipe", "contrast", "--set", LAYERS, "--set", "top_down=true", "--set", "damping=0.5"],
    "held-out": ["--recipe", "contrast", "--validation-size", "200"],
}


def program(*arguments):
    """What the program prints."""
    done = subprocess.run([ff.find_ff(), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"ff {arguments}: {done.stderr}")
    return done.stdout


def write_idx(path, images):
    """An IDX file of bytes."""
    header = bytes([0, 0, 8, images.ndim]) + np.array(images.shape, ">u4").tobytes()
    path.write_bytes(header + images.tobytes())


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.runs = Path(cls.folder.name)
        for name, options in NETWORKS.items():
            common = ["--dataset", "digits", "--num-epochs", "2", "--backend", "cpu", "--quiet"]
            figures = ["--set", "logging.figures=false", "--log-dir", cls.runs / name]
            sizes = [] if LAYERS in options else ["48", "40"]
            program("train", *sizes, *common, *figures, *options)
        # Strokes as digits have them, and pixels that no digit has.
        random = np.random.default_rng(1)
        images = random.integers(0, 256, (2000, 8, 8), np.uint8)
        images[1000:] *= random.integers(0, 2, (1000, 8, 8), np.uint8)
        cls.images = images
        write_idx(cls.runs / "images.idx", images)

    def test_predictions_are_those_of_the_program(self):
        for name in NETWORKS:
            with self.subTest(name):
                told = json.loads(program("predict", self.runs / name, self.runs / "images.idx", "--json"))
                labels, scores = ff.predict(self.runs / name, self.images)
                self.assertGreater(len(set(labels)), 1, "a network that always says the same proves nothing")
                np.testing.assert_array_equal(labels, [image["label"] for image in told])
                expected = np.array([image["scores"] for image in told])
                np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)

    def test_images_may_come_in_any_form(self):
        network = ff.load_network(self.runs / "contrast")
        expected = network.predict(self.images[:5]).scores
        for images in (self.images[:5].reshape(5, 64), self.images[:5] / 255):
            np.testing.assert_allclose(network.predict(images).scores, expected, rtol=1e-12)
        np.testing.assert_allclose(network.predict(self.images[0]).scores, expected[:1], rtol=1e-12)
        self.assertEqual(network.predict(self.images[:0]).scores.shape, (0, 10))
        np.testing.assert_allclose(network.predict(self.images[:5].astype(np.int64)).scores, expected, rtol=1e-12)
        with self.assertRaisesRegex(ValueError, "to 256, expected brightness from 0 to 255"):
            network.predict(self.images[:5].astype(int) + 1)
        with self.assertRaisesRegex(ValueError, "64 pixels"):
            network.predict(np.zeros((3, 7, 8), np.uint8))

    def test_colors_may_come_first_or_last(self):
        random = np.random.default_rng(2)
        images = random.integers(0, 256, (60, 6, 5, 3), np.uint8)
        folder = self.runs / "colors"
        folder.mkdir()
        for part, rows in (("train", slice(0, 40)), ("t10k", slice(40, 60))):
            write_idx(folder / f"{part}-images-idx4-ubyte", images[rows])
            write_idx(folder / f"{part}-labels-idx1-ubyte", np.arange(60, dtype=np.uint8)[rows] % 4)
        local = "layers=[{kind='local',grid=[3,2],stride=1,field=4,channels=5},{kind='dense',units=9}]"
        networks = {
            "color": ["12", "9"],
            "color-local": ["--set", local],
            "color-centered": ["--set", local, "--set", "center_images=true"],
            "color-overlay": ["--set", local, "--set", "label=overlay", "--set", "flips=true"],
        }
        options = ["--recipe", "contrast", "--num-epochs", "1", "--batch-size", "10", "--backend", "cpu", "--quiet"]
        for name, layers in networks.items():
            run = self.runs / name
            program("train", *layers, "--dataset", f"idx:{folder}", "--log-dir", run, *options)
            with self.subTest(network=name):
                self.predicts_colors(run, folder / "t10k-images-idx4-ubyte", images[40:])

    def predicts_colors(self, run, file, images):
        """Whether images ``[n, height, width, channels]`` are predicted as the program does, in any form."""
        told = json.loads(program("predict", run, file, "--json"))
        expected = np.array([image["scores"] for image in told])
        planar = np.moveaxis(images, -1, 1)
        for form in (images, planar, planar / 255, images.reshape(len(images), -1)):
            np.testing.assert_allclose(ff.predict(run, form).scores, expected, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(ff.predict(run, planar[0]).scores, expected[:1], rtol=1e-4, atol=1e-4)
        try:
            import torch
        except ImportError:
            return
        for form in (images, np.ascontiguousarray(planar)):
            scores = ff.to_torch(run)(torch.from_numpy(form)).detach().numpy()
            np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-3)

    def test_a_run_is_read_whole(self):
        run = ff.load_run(self.runs / "contrast")
        self.assertEqual(run.metrics["epoch"].tolist(), [1, 2])
        self.assertEqual(run.metrics["accuracy"].iloc[-1], run.summary["accuracy"])
        self.assertTrue({"layers.1.train_loss", "class_accuracy.9", "seconds.train"} <= set(run.metrics))
        self.assertEqual(run.config["network"]["layer_sizes"], [48, 40])
        self.assertEqual(run.confusion_matrix.to_numpy().sum(), 355)
        self.assertEqual([weight.shape for weight, _ in run.network.layers], [(74, 48), (48, 40)])

    def test_classes_have_their_names(self):
        self.assertEqual(ff.load_run(self.runs / "contrast").confusion_matrix.loc[3].sum(), 36)
        names = ["cat", "dog"]
        rows = [f"{names[i % 2]},{i % 2 * 200},{i % 7},9,9" for i in range(60)]
        (self.runs / "pets.csv").write_text("\n".join(["label,a,b,c,d", *rows, ""]))
        program("data", "import", self.runs / "pets.csv", self.runs / "pets")
        options = ["--num-epochs", "1", "--batch-size", "8", "--backend", "cpu", "--quiet"]
        program("train", "8", "--dataset", f"idx:{self.runs / 'pets'}", "--log-dir", self.runs / "named", *options)
        run = ff.load_run(self.runs / "named")
        self.assertEqual(run.class_names, names)
        self.assertEqual(run.confusion_matrix.loc["cat"].sum(), 6)
        self.assertEqual(list(run.confusion_matrix.columns), names)

    def test_a_part_of_a_line_is_an_epoch_that_is_being_written(self):
        run = self.runs / "torn"
        run.mkdir()
        (run / "config.toml").write_text("")
        (run / "metrics.jsonl").write_text('{"epoch": 1, "accuracy": 0.5}\n{"epoch": 2, "acc')
        self.assertEqual(ff.load_run(run).metrics["epoch"].tolist(), [1])

    def test_a_sweep_is_a_table_whose_rows_open_as_runs(self):
        (self.runs / "sweep.toml").write_text(
            'recipe = "contrast"\n[data]\ndataset = "digits"\n[network]\nlayer_sizes = [16, 16]\n'
            "[training]\nnum_epochs = 1\n[logging]\nfigures = false\n[sweep]\nalpha = [2, 4]\n"
        )
        program("sweep", self.runs / "sweep.toml", "--log-dir", self.runs / "sweep", "--backend", "cpu", "--quiet")
        results = ff.load_sweep(self.runs / "sweep")
        self.assertEqual(results["alpha"].tolist(), [2, 4])
        for row in results.itertuples():
            self.assertEqual(ff.load_run(row.run_dir).config["training"]["alpha"], row.alpha)

    def test_names_of_cells_are_as_they_were_given(self):
        folder = self.runs / "names"
        folder.mkdir()
        rows = ["cell,status,flips,accuracy,run_dir,name", "0,done,true,0.5,one,'+x", "1,done,false,,two,NA", "2,done,true,1,three,'a"]
        (folder / "results.csv").write_text("\n".join(rows) + "\n")
        results = ff.load_sweep(folder)
        self.assertEqual(results["name"].tolist(), ["+x", "NA", "'a"])
        self.assertEqual(results["flips"].tolist(), [True, False, True])
        self.assertTrue(np.isnan(results["accuracy"][1]))

    def test_what_is_not_there_is_named(self):
        for load in (ff.load_run, ff.load_sweep, ff.load_network):
            with self.assertRaisesRegex(FileNotFoundError, "nowhere"):
                load(self.runs / "nowhere")

    def test_torch_computes_the_same(self):
        try:
            import torch
        except ImportError:
            self.skipTest("PyTorch is not installed")
        for name in NETWORKS:
            with self.subTest(name):
                if "top-down" in name or "ensemble" in name:
                    with self.assertRaisesRegex(ValueError, "top_down|ensemble"):
                        ff.to_torch(self.runs / name)
                    continue
                expected = ff.predict(self.runs / name, self.images)
                model = ff.to_torch(self.runs / name)
                scores = model(torch.from_numpy(self.images)).detach().numpy()
                np.testing.assert_allclose(scores, expected.scores, rtol=1e-3, atol=1e-3)
                np.testing.assert_array_equal(scores.argmax(axis=1), expected.labels)


if __name__ == "__main__":
    unittest.main()
