"""A module with one of each kind of resource, for tests of reflection."""

from __future__ import annotations

MODULE = """
OpCapability Shader
OpCapability SampledBuffer
OpCapability RuntimeDescriptorArray
OpCapability Float16
OpCapability Int64
OpExtension "SPV_EXT_descriptor_indexing"
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %comp "step" %ubo %ssbo %pc %heap
OpEntryPoint Fragment %frag "shade" %uv %color %tex %plain %smp %img %texel %attach %vary
OpExecutionMode %comp LocalSize 8 4 1
OpExecutionMode %frag OriginUpperLeft
OpName %ubo "camera"
OpName %ssbo ""
OpName %Data "Data"
OpName %pc "pc"
OpName %uv "uv"
OpName %color "color"
OpName %tex "albedo"
OpName %n "COUNT"
OpName %Vary "Vary"
OpMemberName %Vary 0 "normal"
OpMemberName %Vary 1 "depth"
OpName %vary "vary"
OpDecorate %n SpecId 3
OpDecorate %neg SpecId 1
OpDecorate %flag SpecId 2
OpDecorate %half SpecId 4
OpDecorate %big SpecId 5
OpDecorate %twin SpecId 5
OpDecorate %Cam Block
OpMemberDecorate %Cam 0 Offset 0
OpMemberDecorate %Cam 0 ColMajor
OpMemberDecorate %Cam 0 MatrixStride 16
OpDecorate %Data Block
OpDecorate %arr ArrayStride 4
OpMemberDecorate %Data 0 Offset 0
OpDecorate %Push Block
OpMemberDecorate %Push 0 Offset 0
OpMemberDecorate %Push 1 Offset 16
OpMemberDecorate %Push 1 ColMajor
OpMemberDecorate %Push 1 MatrixStride 16
OpMemberDecorate %Push 2 Offset 64
OpMemberDecorate %Push 3 Offset 112
OpMemberDecorate %Push 3 RowMajor
OpMemberDecorate %Push 3 MatrixStride 16
OpDecorate %pushed ArrayStride 16
OpDecorate %ubo DescriptorSet 1
OpDecorate %ubo Binding 0
OpDecorate %ssbo DescriptorSet 0
OpDecorate %ssbo Binding 2
OpDecorate %heap DescriptorSet 0
OpDecorate %heap Binding 3
OpDecorate %tex DescriptorSet 0
OpDecorate %tex Binding 0
OpDecorate %plain DescriptorSet 0
OpDecorate %plain Binding 4
OpDecorate %smp DescriptorSet 0
OpDecorate %smp Binding 5
OpDecorate %img DescriptorSet 0
OpDecorate %img Binding 6
OpDecorate %texel DescriptorSet 0
OpDecorate %texel Binding 7
OpDecorate %attach DescriptorSet 0
OpDecorate %attach Binding 8
OpDecorate %attach InputAttachmentIndex 0
OpDecorate %uv Location 0
OpDecorate %uv Component 2
OpDecorate %color Location 0
OpDecorate %Vary Block
OpMemberDecorate %Vary 0 Location 2
OpMemberDecorate %Vary 1 Location 3
%void = OpTypeVoid
%fn = OpTypeFunction %void
%f = OpTypeFloat 32
%h = OpTypeFloat 16
%i = OpTypeInt 32 1
%u = OpTypeInt 32 0
%l = OpTypeInt 64 1
%b = OpTypeBool
%v2 = OpTypeVector %f 2
%v3 = OpTypeVector %f 3
%v4 = OpTypeVector %f 4
%m43 = OpTypeMatrix %v3 4
%m3 = OpTypeMatrix %v3 3
%n = OpSpecConstant %u 7
%neg = OpSpecConstant %i -5
%flag = OpSpecConstantTrue %b
%half = OpSpecConstant %h 0.5
%big = OpSpecConstant %l -8589934592
%twin = OpSpecConstant %l -8589934592
%c3 = OpConstant %u 3
%Cam = OpTypeStruct %m43
%arr = OpTypeRuntimeArray %f
%Data = OpTypeStruct %arr
%pushed = OpTypeArray %v2 %c3
%Push = OpTypeStruct %v3 %m3 %pushed %m43
%heaps = OpTypeRuntimeArray %Cam
%pubo = OpTypePointer Uniform %Cam
%pssbo = OpTypePointer StorageBuffer %Data
%ppc = OpTypePointer PushConstant %Push
%pheap = OpTypePointer Uniform %heaps
%ubo = OpVariable %pubo Uniform
%ssbo = OpVariable %pssbo StorageBuffer
%pc = OpVariable %ppc PushConstant
%heap = OpVariable %pheap Uniform
%image = OpTypeImage %f 2D 0 0 0 1 Unknown
%storage = OpTypeImage %f 2D 0 0 0 2 R32f
%buffer = OpTypeImage %f Buffer 0 0 0 1 Unknown
%subpass = OpTypeImage %f SubpassData 0 0 0 2 Unknown
%sampler = OpTypeSampler
%combined = OpTypeSampledImage %image
%textures = OpTypeArray %combined %c3
%ptex = OpTypePointer UniformConstant %textures
%pplain = OpTypePointer UniformConstant %image
%psmp = OpTypePointer UniformConstant %sampler
%pimg = OpTypePointer UniformConstant %storage
%pbuffer = OpTypePointer UniformConstant %buffer
%pattach = OpTypePointer UniformConstant %subpass
%tex = OpVariable %ptex UniformConstant
%plain = OpVariable %pplain UniformConstant
%smp = OpVariable %psmp UniformConstant
%img = OpVariable %pimg UniformConstant
%texel = OpVariable %pbuffer UniformConstant
%attach = OpVariable %pattach UniformConstant
%Vary = OpTypeStruct %v3 %f
%pvary = OpTypePointer Input %Vary
%vary = OpVariable %pvary Input
%pin = OpTypePointer Input %v2
%pout = OpTypePointer Output %v4
%uv = OpVariable %pin Input
%color = OpVariable %pout Output
%comp = OpFunction %void None %fn
%l1 = OpLabel
%r1 = OpCopyObject %pubo %ubo
%r2 = OpCopyObject %pssbo %ssbo
%r3 = OpCopyObject %ppc %pc
%r4 = OpCopyObject %pheap %heap
OpReturn
OpFunctionEnd
%frag = OpFunction %void None %fn
%l2 = OpLabel
%s1 = OpLoad %v2 %uv
%s2 = OpCopyObject %pout %color
%s3 = OpCopyObject %ptex %tex
%s4 = OpCopyObject %pplain %plain
%s5 = OpCopyObject %psmp %smp
%s6 = OpCopyObject %pimg %img
%s7 = OpCopyObject %pbuffer %texel
%s8 = OpCopyObject %pattach %attach
%s9 = OpLoad %Vary %vary
OpReturn
OpFunctionEnd
"""
