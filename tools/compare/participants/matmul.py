"""Dense matrix products of the peers: PyTorch, OpenVINO and IREE. rows x inner times inner x columns, weights constant.

The weights are constants for OpenVINO and IREE, which may lay them out once; PyTorch gets them as nn.Linear does.
With few rows, several weights take turns, so that none stays in a cache.
"""

from __future__ import annotations

import time
from typing import Any, Callable

import numpy

from participants.tensors import normal, samples

Product = Callable[[], Any]


def with_torch(settings: dict[str, Any], x: numpy.ndarray, weights: list[numpy.ndarray]) -> tuple[list[Product], str]:
    import torch

    torch.set_num_threads(settings["threads"])
    kind = {"f32": torch.float32, "bf16": torch.bfloat16}[settings["type"]]
    left = torch.from_numpy(x).to(kind)
    right = [torch.from_numpy(w).to(kind) for w in weights]

    def product(w: torch.Tensor) -> Product:
        return lambda: torch.nn.functional.linear(left, w)

    return [product(w) for w in right], torch.__version__


def with_openvino(settings: dict[str, Any], x: numpy.ndarray, weights: list[numpy.ndarray]) -> tuple[list[Product], str]:
    import openvino
    from openvino import opset13 as ops

    core = openvino.Core()
    properties = {"INFERENCE_NUM_THREADS": settings["threads"], "INFERENCE_PRECISION_HINT": settings["type"],
                  "PERFORMANCE_HINT": "LATENCY"}

    def product(w: numpy.ndarray) -> Product:
        left = ops.parameter(list(x.shape), numpy.float32)
        model = openvino.Model([ops.matmul(left, ops.constant(w), False, True)], [left])
        request = core.compile_model(model, "CPU", properties).create_infer_request()
        request.set_input_tensor(openvino.Tensor(x, shared_memory=True))

        def run() -> Any:
            request.infer()
            return request.get_output_tensor().data

        return run

    return [product(w) for w in weights], openvino.__version__


def with_iree(settings: dict[str, Any], x: numpy.ndarray, weights: list[numpy.ndarray]) -> tuple[list[Product], str]:
    import iree.compiler
    import iree.compiler.version
    import iree.runtime

    rows, inner, columns = x.shape[0], x.shape[1], weights[0].shape[0]
    text = f"""
      func.func @product(%x: tensor<{rows}x{inner}xf32>, %w: tensor<{columns}x{inner}xf32>) -> tensor<{rows}x{columns}xf32> {{
        %zero = arith.constant 0.0 : f32
        %empty = tensor.empty() : tensor<{rows}x{columns}xf32>
        %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<{rows}x{columns}xf32>) -> tensor<{rows}x{columns}xf32>
        %y = linalg.matmul
          indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>, affine_map<(i, j, k) -> (i, j)>]
          ins(%x, %w : tensor<{rows}x{inner}xf32>, tensor<{columns}x{inner}xf32>)
          outs(%start : tensor<{rows}x{columns}xf32>) -> tensor<{rows}x{columns}xf32>
        return %y : tensor<{rows}x{columns}xf32>
      }}"""
    code = iree.compiler.compile_str(
        text, target_backends=["llvm-cpu"], input_type="none",
        extra_args=["--iree-llvmcpu-target-cpu=host", "--iree-opt-level=O3", "--iree-opt-data-tiling"])
    iree.runtime.flags.parse_flags(f"--task_topology_group_count={settings['threads']}")
    context = iree.runtime.SystemContext(config=iree.runtime.Config("local-task"))
    context.add_vm_module(iree.runtime.VmModule.copy_buffer(context.instance, code))
    device = context.config.device
    left = iree.runtime.asdevicearray(device, x)
    function = context.modules.module.product

    def product(w: numpy.ndarray) -> Product:
        right = iree.runtime.asdevicearray(device, w)
        return lambda: function(left, right)

    return [product(w) for w in weights], iree.compiler.version.VERSION


KINDS = {"torch": ("PyTorch", with_torch), "openvino": ("OpenVINO", with_openvino), "iree": ("IREE", with_iree)}


class Matmul:
    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.name, make = KINDS[settings["library"]]
        x = normal(1, settings["rows"], settings["inner"])
        weights = [normal(2 + i, settings["columns"], settings["inner"]) for i in range(settings.get("copies", 1))]
        self.inputs = (x, weights)  # the libraries don't keep them
        self.products, self.version = make(settings, x, weights)
        for _ in range(2):
            self.run()

    def run(self) -> float:
        repeats = self.settings["repeats"]
        start = time.perf_counter()
        for number in range(repeats):
            result = self.products[number % len(self.products)]()
        seconds = (time.perf_counter() - start) / repeats
        del result
        return seconds

    def check(self) -> list[float]:
        result = self.products[0]()
        return samples(result.float().numpy() if hasattr(result, "float") else numpy.asarray(result))

    def info(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "setting": self.settings["type"]}


def prepare(settings: dict[str, Any]) -> Matmul:
    return Matmul(settings)
