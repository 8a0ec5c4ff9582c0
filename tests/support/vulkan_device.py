"""Runs compute shaders without a window, on a Vulkan device of type CPU if there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from .vulkan_dispatch import Array, Dispatch, Resource, Texture

__all__ = ["Array", "ComputeDevice", "Resource", "Texture", "VulkanUnavailableError", "storage", "uniform"]


class VulkanUnavailableError(Exception):
    """Shaders cannot be run here; the message names what is missing."""


def storage(binding: int, data: Array, *, set: int = 0) -> Resource:
    """Return a storage buffer."""
    return Resource(binding, np.ascontiguousarray(data), set=set)


def uniform(binding: int, data: Array, *, set: int = 0) -> Resource:
    """Return a uniform buffer; `data` must have the layout of the block."""
    return Resource(binding, np.ascontiguousarray(data), uniform=True, set=set)


class ComputeDevice:
    """A Vulkan device with one queue, and a context manager that destroys it.

    Raises: VulkanUnavailableError on creation if the package, loader or device is missing.
    """

    def __init__(self) -> None:
        try:
            import vulkan  # type: ignore[import-untyped]
        except (ImportError, OSError) as error:
            raise VulkanUnavailableError(f"the Vulkan loader or its Python package: {error}") from error
        self.vk: Any = vulkan
        self._stack = ExitStack()
        try:
            self._open()
        except vulkan.VkError as error:
            self.close()
            raise VulkanUnavailableError(f"a Vulkan driver: {type(error).__name__}") from error
        except VulkanUnavailableError:
            self.close()
            raise

    def __enter__(self) -> ComputeDevice:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Destroy device and instance."""
        self._stack.close()

    def run(
        self,
        module: bytes,
        resources: Sequence[Resource | Texture],
        *,
        entry: str = "main",
        groups: tuple[int, int, int] = (1, 1, 1),
        constants: Mapping[int, float | int | bool] | None = None,
        push: bytes = b"",
    ) -> dict[int, Array]:
        """Dispatch one entry point and wait for it.

        Shape: returns the contents of the storage buffers, by binding.
        """
        with ExitStack() as stack:
            dispatch = Dispatch(self, stack)
            bound = [dispatch.bind(resource) for resource in resources]
            layouts = dispatch.set_layouts(bound)
            layout = dispatch.pipeline_layout(layouts, len(push))
            pipeline = dispatch.pipeline(module, entry, layout, constants or {})
            sets = dispatch.descriptor_sets(bound, layouts)
            textures = [item.texture for item in bound if item.texture is not None]
            with dispatch.recording() as commands:
                dispatch.prepare(commands, textures)
                self.vk.vkCmdBindPipeline(commands, self.vk.VK_PIPELINE_BIND_POINT_COMPUTE, pipeline)
                if sets:
                    point = self.vk.VK_PIPELINE_BIND_POINT_COMPUTE
                    self.vk.vkCmdBindDescriptorSets(commands, point, layout, 0, len(sets), sets, 0, None)
                if push:
                    data = self.vk.ffi.from_buffer(push)
                    stage = self.vk.VK_SHADER_STAGE_COMPUTE_BIT
                    self.vk.vkCmdPushConstants(commands, layout, stage, 0, len(push), data)
                self.vk.vkCmdDispatch(commands, *groups)
            return {item.binding: item.contents() for item in bound if item.readable}

    def _open(self) -> None:
        vk = self.vk
        wanted = vk.VK_MAKE_VERSION(1, 3, 0)
        application = vk.VkApplicationInfo(pApplicationName="cratewright tests", apiVersion=wanted)
        instance = vk.vkCreateInstance(vk.VkInstanceCreateInfo(pApplicationInfo=application), None)
        self._stack.callback(vk.vkDestroyInstance, instance, None)
        able = [(properties, each) for each in vk.vkEnumeratePhysicalDevices(instance)
                if (properties := vk.vkGetPhysicalDeviceProperties(each)).apiVersion >= wanted]  # fmt: skip
        if not able:
            raise VulkanUnavailableError("a Vulkan 1.3 device")
        # A device in software computes the same on every machine.
        able.sort(key=lambda pair: pair[0].deviceType != vk.VK_PHYSICAL_DEVICE_TYPE_CPU)
        properties, self.physical = able[0]
        self.name = str(properties.deviceName)
        families = vk.vkGetPhysicalDeviceQueueFamilyProperties(self.physical)
        self.family = next(i for i, each in enumerate(families) if each.queueFlags & vk.VK_QUEUE_COMPUTE_BIT)
        queue = vk.VkDeviceQueueCreateInfo(queueFamilyIndex=self.family, queueCount=1, pQueuePriorities=[1.0])
        features = vk.vkGetPhysicalDeviceFeatures(self.physical)
        request = vk.VkDeviceCreateInfo(pQueueCreateInfos=[queue], queueCreateInfoCount=1, pEnabledFeatures=[features])
        self.device = vk.vkCreateDevice(self.physical, request, None)
        self._stack.callback(vk.vkDestroyDevice, self.device, None)
        self.queue = vk.vkGetDeviceQueue(self.device, self.family, 0)
