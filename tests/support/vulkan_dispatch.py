"""One dispatch of a compute shader: its resources on the device, its pipeline and its commands."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .vulkan_device import ComputeDevice

Array = NDArray[Any]

Handle = Any
"""A Vulkan object; the `vulkan` package has no types to check against."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A buffer that a shader sees as `binding` of `set`, with its initial contents."""

    binding: int
    data: Array
    uniform: bool = False
    set: int = 0


@dataclass(frozen=True, slots=True)
class Texture:
    """A combined image sampler with a linear filter, clamped to the edge.

    Shape: `texels` is height, width, 4; float32.
    """

    binding: int
    texels: Array
    set: int = 0


@dataclass(frozen=True, slots=True)
class _Bound:
    """A resource on the device; `write` fills in its descriptor."""

    set: int
    binding: int
    kind: int
    write: Mapping[str, object]
    contents: Callable[[], Array]
    readable: bool = False
    texture: Handle = None


class Dispatch:
    """The objects of one dispatch, destroyed with the stack."""

    def __init__(self, owner: ComputeDevice, stack: ExitStack) -> None:
        self._owner = owner
        self._vk = owner.vk
        self._device = owner.device
        self._stack = stack

    def bind(self, resource: Resource | Texture) -> _Bound:
        return self._texture(resource) if isinstance(resource, Texture) else self._buffer(resource)

    def set_layouts(self, bound: Sequence[_Bound]) -> list[Handle]:
        """Return a layout for each set up to the highest."""
        vk = self._vk
        layouts = []
        for number in range(max((item.set for item in bound), default=-1) + 1):
            bindings = [
                vk.VkDescriptorSetLayoutBinding(
                    binding=item.binding,
                    descriptorType=item.kind,
                    descriptorCount=1,
                    stageFlags=vk.VK_SHADER_STAGE_COMPUTE_BIT,
                )
                for item in bound
                if item.set == number
            ]
            info = vk.VkDescriptorSetLayoutCreateInfo(bindingCount=len(bindings), pBindings=bindings)
            layouts.append(self._make("DescriptorSetLayout", info))
        return layouts

    def pipeline_layout(self, layouts: Sequence[Handle], push_bytes: int) -> Handle:
        vk = self._vk
        ranges = []
        if push_bytes:
            ranges.append(vk.VkPushConstantRange(stageFlags=vk.VK_SHADER_STAGE_COMPUTE_BIT, offset=0, size=push_bytes))
        info = vk.VkPipelineLayoutCreateInfo(
            setLayoutCount=len(layouts),
            pSetLayouts=layouts,
            pushConstantRangeCount=len(ranges),
            pPushConstantRanges=ranges,
        )
        return self._make("PipelineLayout", info)

    def pipeline(
        self, module: bytes, entry: str, layout: Handle, constants: Mapping[int, float | int | bool]
    ) -> Handle:
        vk = self._vk
        shader = self._make("ShaderModule", vk.VkShaderModuleCreateInfo(codeSize=len(module), pCode=module))
        values = vk.ffi.from_buffer(b"".join(map(_constant, constants.values())) or b"\0")
        slots = [vk.VkSpecializationMapEntry(constantID=number, offset=4 * at, size=4)
                 for at, number in enumerate(constants)]  # fmt: skip
        special = vk.VkSpecializationInfo(
            mapEntryCount=len(slots), pMapEntries=slots, dataSize=4 * len(slots), pData=values
        )
        stage = vk.VkPipelineShaderStageCreateInfo(
            stage=vk.VK_SHADER_STAGE_COMPUTE_BIT, module=shader, pName=entry, pSpecializationInfo=special
        )
        info = vk.VkComputePipelineCreateInfo(stage=stage, layout=layout)
        pipeline = vk.vkCreateComputePipelines(self._device, None, 1, [info], None)[0]
        self._stack.callback(vk.vkDestroyPipeline, self._device, pipeline, None)
        return pipeline

    def descriptor_sets(self, bound: Sequence[_Bound], layouts: Sequence[Handle]) -> list[Handle]:
        vk = self._vk
        if not bound:
            return []
        sizes = [vk.VkDescriptorPoolSize(type=item.kind, descriptorCount=1) for item in bound]
        info = vk.VkDescriptorPoolCreateInfo(maxSets=len(layouts), poolSizeCount=len(sizes), pPoolSizes=sizes)
        pool = self._make("DescriptorPool", info)
        request = vk.VkDescriptorSetAllocateInfo(
            descriptorPool=pool, descriptorSetCount=len(layouts), pSetLayouts=layouts
        )
        sets = list(vk.vkAllocateDescriptorSets(self._device, request))
        writes = [
            vk.VkWriteDescriptorSet(
                dstSet=sets[item.set],
                dstBinding=item.binding,
                descriptorCount=1,
                descriptorType=item.kind,
                **item.write,
            )
            for item in bound
        ]
        vk.vkUpdateDescriptorSets(self._device, len(writes), writes, 0, None)
        return sets

    @contextmanager
    def recording(self) -> Iterator[Handle]:
        """Yield a command buffer, submit its commands and wait for them."""
        vk, owner = self._vk, self._owner
        pool = self._make("CommandPool", vk.VkCommandPoolCreateInfo(queueFamilyIndex=owner.family))
        info = vk.VkCommandBufferAllocateInfo(
            commandPool=pool, level=vk.VK_COMMAND_BUFFER_LEVEL_PRIMARY, commandBufferCount=1
        )
        commands = vk.vkAllocateCommandBuffers(self._device, info)[0]
        vk.vkBeginCommandBuffer(commands, vk.VkCommandBufferBeginInfo())
        yield commands
        vk.vkEndCommandBuffer(commands)
        submit = vk.VkSubmitInfo(commandBufferCount=1, pCommandBuffers=[commands])
        vk.vkQueueSubmit(owner.queue, 1, [submit], None)
        vk.vkQueueWaitIdle(owner.queue)

    def prepare(self, commands: Handle, textures: Sequence[Handle]) -> None:
        """Make images readable by the shader."""
        vk = self._vk
        barriers = [
            vk.VkImageMemoryBarrier(
                srcAccessMask=vk.VK_ACCESS_HOST_WRITE_BIT,
                dstAccessMask=vk.VK_ACCESS_SHADER_READ_BIT,
                oldLayout=vk.VK_IMAGE_LAYOUT_PREINITIALIZED,
                newLayout=vk.VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL,
                srcQueueFamilyIndex=vk.VK_QUEUE_FAMILY_IGNORED,
                dstQueueFamilyIndex=vk.VK_QUEUE_FAMILY_IGNORED,
                image=image,
                subresourceRange=self._colour(),
            )
            for image in textures
        ]
        if barriers:
            host, shader = vk.VK_PIPELINE_STAGE_HOST_BIT, vk.VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT
            vk.vkCmdPipelineBarrier(commands, host, shader, 0, 0, None, 0, None, len(barriers), barriers)

    def _buffer(self, resource: Resource) -> _Bound:
        vk = self._vk
        name = "UNIFORM" if resource.uniform else "STORAGE"
        size = resource.data.nbytes
        info = vk.VkBufferCreateInfo(size=size, usage=getattr(vk, f"VK_BUFFER_USAGE_{name}_BUFFER_BIT"))
        buffer = self._make("Buffer", info)
        needs = vk.vkGetBufferMemoryRequirements(self._device, buffer)
        memory, view = self._memory(needs)
        vk.vkBindBufferMemory(self._device, buffer, memory, 0)
        view[:size] = resource.data.tobytes()
        described = [vk.VkDescriptorBufferInfo(buffer=buffer, offset=0, range=size)]

        def contents() -> Array:
            return np.frombuffer(bytes(view[:size]), dtype=resource.data.dtype).reshape(resource.data.shape)

        kind = getattr(vk, f"VK_DESCRIPTOR_TYPE_{name}_BUFFER")
        return _Bound(
            resource.set,
            resource.binding,
            kind,
            {"pBufferInfo": described},
            contents,
            readable=not resource.uniform,
        )

    def _texture(self, texture: Texture) -> _Bound:
        vk = self._vk
        texels = np.ascontiguousarray(texture.texels, dtype=np.float32)
        height, width, _ = texels.shape
        colour = vk.VK_FORMAT_R32G32B32A32_SFLOAT
        info = vk.VkImageCreateInfo(
            imageType=vk.VK_IMAGE_TYPE_2D,
            format=colour,
            extent=vk.VkExtent3D(width, height, 1),
            mipLevels=1,
            arrayLayers=1,
            samples=vk.VK_SAMPLE_COUNT_1_BIT,
            tiling=vk.VK_IMAGE_TILING_LINEAR,
            usage=vk.VK_IMAGE_USAGE_SAMPLED_BIT,
            initialLayout=vk.VK_IMAGE_LAYOUT_PREINITIALIZED,
        )
        image = self._make("Image", info)
        memory, view = self._memory(vk.vkGetImageMemoryRequirements(self._device, image))
        vk.vkBindImageMemory(self._device, image, memory, 0)
        part = vk.VkImageSubresource(aspectMask=vk.VK_IMAGE_ASPECT_COLOR_BIT)
        placed = vk.vkGetImageSubresourceLayout(self._device, image, [part])
        for row in range(height):
            start = placed.offset + row * placed.rowPitch
            view[start : start + 16 * width] = texels[row].tobytes()
        request = vk.VkImageViewCreateInfo(
            image=image, viewType=vk.VK_IMAGE_VIEW_TYPE_2D, format=colour, subresourceRange=self._colour()
        )
        edge = vk.VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE
        sampling = vk.VkSamplerCreateInfo(
            magFilter=vk.VK_FILTER_LINEAR, minFilter=vk.VK_FILTER_LINEAR, addressModeU=edge, addressModeV=edge
        )
        described = vk.VkDescriptorImageInfo(
            sampler=self._make("Sampler", sampling),
            imageView=self._make("ImageView", request),
            imageLayout=vk.VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL,
        )
        kind = vk.VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER
        write = {"pImageInfo": [described]}
        return _Bound(texture.set, texture.binding, kind, write, lambda: texels, texture=image)

    def _colour(self) -> Handle:
        vk = self._vk
        return vk.VkImageSubresourceRange(aspectMask=vk.VK_IMAGE_ASPECT_COLOR_BIT, levelCount=1, layerCount=1)

    def _memory(self, needs: Handle) -> tuple[Handle, Handle]:
        """Return host-visible, coherent memory, and a view of it."""
        vk, owner = self._vk, self._owner
        wanted = vk.VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | vk.VK_MEMORY_PROPERTY_HOST_COHERENT_BIT
        kinds = vk.vkGetPhysicalDeviceMemoryProperties(owner.physical)
        index = next(
            index
            for index in range(kinds.memoryTypeCount)
            if needs.memoryTypeBits & 1 << index and kinds.memoryTypes[index].propertyFlags & wanted == wanted
        )
        request = vk.VkMemoryAllocateInfo(allocationSize=needs.size, memoryTypeIndex=index)
        memory = vk.vkAllocateMemory(self._device, request, None)
        # Freeing unmaps.
        self._stack.callback(vk.vkFreeMemory, self._device, memory, None)
        return memory, vk.vkMapMemory(self._device, memory, 0, needs.size, 0)

    def _make(self, kind: str, info: Handle) -> Handle:
        made = getattr(self._vk, f"vkCreate{kind}")(self._device, info, None)
        self._stack.callback(getattr(self._vk, f"vkDestroy{kind}"), self._device, made, None)
        return made


def _constant(value: float | int | bool) -> bytes:
    """Return the four bytes of a specialisation constant."""
    if isinstance(value, float):
        return struct.pack("=f", value)
    return struct.pack("=i" if value < 0 else "=I", value)
