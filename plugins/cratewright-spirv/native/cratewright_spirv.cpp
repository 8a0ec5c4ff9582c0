// SPIRV-Tools behind a C ABI that ctypes can call.
//
// Knows nothing of Python: no header of it is included, so one binary serves every interpreter, and a
// call through ctypes runs without the GIL. Every function returns a `Result` that the caller hands back to
// `cratewright_spirv_free`; nothing is printed and no exception leaves this file.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <spirv-tools/libspirv.hpp>
#include <spirv-tools/linker.hpp>
#include <spirv-tools/optimizer.hpp>

#include "export.h"

namespace {

using Words = std::vector<uint32_t>;

// The caller refuses a library whose number differs, so that a stale build is never called.
constexpr uint32_t kAbi = 5;

enum ValidatorFlag : uint32_t {
  kRelaxStructStore = 1u << 0,
  kRelaxLogicalPointer = 1u << 1,
  kRelaxBlockLayout = 1u << 2,
  kUniformBufferStandardLayout = 1u << 3,
  kScalarBlockLayout = 1u << 4,
  kSkipBlockLayout = 1u << 5,
};

}  // namespace

extern "C" {

struct Message {
  int32_t level;
  uint64_t line;
  uint64_t column;
  uint64_t index;
  const char* text;
};

struct Result {
  uint32_t succeeded;
  const void* data;
  uint64_t size;
  const Message* messages;
  uint64_t message_count;
};

}  // extern "C"

namespace {

// What a `Result` points into; the caller sees only the base.
struct Answer : Result {
  Words words;
  std::string text;
  std::vector<std::string> texts;
  std::vector<Message> log;

  Answer() : Result{} {}

  void note(spv_message_level_t level, const spv_position_t& at, const char* message) {
    texts.emplace_back(message ? message : "");
    log.push_back({static_cast<int32_t>(level), at.line, at.column, at.index, nullptr});
  }

  void fail(const std::string& message) { note(SPV_MSG_ERROR, spv_position_t{}, message.c_str()); }

  spvtools::MessageConsumer consumer() {
    return [this](spv_message_level_t level, const char*, const spv_position_t& at, const char* message) {
      note(level, at, message);
    };
  }

  Result* seal(bool success) {
    // Strings move while the vector grows, so their addresses are only taken now.
    for (size_t i = 0; i < log.size(); ++i) log[i].text = texts[i].c_str();
    succeeded = success;
    messages = log.data();
    message_count = log.size();
    if (!words.empty()) {
      data = words.data();
      size = words.size() * sizeof(uint32_t);
    } else {
      data = text.data();
      size = text.size();
    }
    return this;
  }
};

template <typename Work>
Result* answer(const char* env_name, Work&& work) noexcept {
  std::unique_ptr<Answer> result;
  try {
    result = std::make_unique<Answer>();
    spv_target_env env;
    if (!spvParseTargetEnv(env_name, &env)) {
      result->fail(std::string("Unrecognized target env: ") + env_name);
      return result.release()->seal(false);
    }
    const bool success = work(*result, env);
    Result* sealed = result->seal(success);
    result.release();
    return sealed;
  } catch (const std::exception& error) {
    try {
      result = std::make_unique<Answer>();
      result->fail(error.what());
      return result.release()->seal(false);
    } catch (...) {
      return nullptr;
    }
  } catch (...) {
    return nullptr;
  }
}

// Copied, because the caller's buffer promises no alignment.
Words words_of(const uint8_t* data, uint64_t size) {
  Words words(size / sizeof(uint32_t));
  if (!words.empty()) std::memcpy(words.data(), data, words.size() * sizeof(uint32_t));
  return words;
}

void apply(uint32_t flags, spvtools::ValidatorOptions* options) {
  options->SetRelaxStructStore(flags & kRelaxStructStore);
  options->SetRelaxLogicalPointer(flags & kRelaxLogicalPointer);
  options->SetRelaxBlockLayout(flags & kRelaxBlockLayout);
  options->SetUniformBufferStandardLayout(flags & kUniformBufferStandardLayout);
  options->SetScalarBlockLayout(flags & kScalarBlockLayout);
  options->SetSkipBlockLayout(flags & kSkipBlockLayout);
}

}  // namespace

extern "C" {

CRATEWRIGHT_EXPORT uint32_t cratewright_spirv_abi() { return kAbi; }

CRATEWRIGHT_EXPORT const char* cratewright_spirv_version() { return spvSoftwareVersionDetailsString(); }

CRATEWRIGHT_EXPORT void cratewright_spirv_free(Result* result) { delete static_cast<Answer*>(result); }

CRATEWRIGHT_EXPORT Result* cratewright_spirv_link(const char* env, const uint8_t* const* modules,
                                                  const uint64_t* sizes, uint64_t count) {
  return answer(env, [=](Answer& result, spv_target_env target) {
    std::vector<Words> inputs;
    inputs.reserve(count);
    for (uint64_t i = 0; i < count; ++i) inputs.push_back(words_of(modules[i], sizes[i]));
    spvtools::Context context(target);
    context.SetMessageConsumer(result.consumer());
    spvtools::LinkerOptions options;
    options.SetUseHighestVersion(true);
    return spvtools::Link(context, inputs, &result.words, options) == SPV_SUCCESS;
  });
}

// The caller validates what comes out instead of what goes in.
constexpr uint32_t kUnchecked = 1u << 31;

CRATEWRIGHT_EXPORT Result* cratewright_spirv_optimize(const char* env, const uint8_t* module, uint64_t size,
                                                      const char* const* passes, uint64_t pass_count,
                                                      uint32_t validator_flags, uint32_t preserve_bindings) {
  return answer(env, [=](Answer& result, spv_target_env target) {
    spvtools::Optimizer optimizer(target);
    optimizer.SetMessageConsumer(result.consumer());
    const std::vector<std::string> flags(passes, passes + pass_count);
    // spirv-opt knows no other way, and both must give the same bytes.
    const bool preserve_interface = true;
    if (!optimizer.RegisterPassesFromFlags(flags, preserve_interface)) return false;
    spvtools::ValidatorOptions validator;
    apply(validator_flags, &validator);
    spvtools::OptimizerOptions options;
    options.set_validator_options(validator);
    options.set_run_validator((validator_flags & kUnchecked) == 0);
    options.set_preserve_bindings(preserve_bindings != 0);
    const Words input = words_of(module, size);
    return optimizer.Run(input.data(), input.size(), &result.words, options);
  });
}

CRATEWRIGHT_EXPORT Result* cratewright_spirv_validate(const char* env, const uint8_t* module, uint64_t size,
                                                      uint32_t validator_flags) {
  return answer(env, [=](Answer& result, spv_target_env target) {
    spvtools::SpirvTools tools(target);
    tools.SetMessageConsumer(result.consumer());
    spvtools::ValidatorOptions options;
    apply(validator_flags, &options);
    const Words input = words_of(module, size);
    // Finding names for all ids takes a quarter of the time, and only messages have them.
    options.SetFriendlyNames(false);
    const bool valid = spvtools::SpirvTools(target).Validate(input.data(), input.size(), options);
    if (valid) return true;
    options.SetFriendlyNames(true);
    return tools.Validate(input.data(), input.size(), options);
  });
}

CRATEWRIGHT_EXPORT Result* cratewright_spirv_assemble(const char* env, const char* text, uint64_t size) {
  return answer(env, [=](Answer& result, spv_target_env target) {
    spvtools::SpirvTools tools(target);
    tools.SetMessageConsumer(result.consumer());
    return tools.Assemble(text, size, &result.words, SPV_TEXT_TO_BINARY_OPTION_PRESERVE_NUMERIC_IDS);
  });
}

CRATEWRIGHT_EXPORT Result* cratewright_spirv_disassemble(const char* env, const uint8_t* module,
                                                         uint64_t size) {
  return answer(env, [=](Answer& result, spv_target_env target) {
    spvtools::SpirvTools tools(target);
    tools.SetMessageConsumer(result.consumer());
    const Words input = words_of(module, size);
    return tools.Disassemble(input.data(), input.size(), &result.text, SPV_BINARY_TO_TEXT_OPTION_INDENT);
  });
}

// Counts the instructions of a well-formed little-endian module; stops where one has no words.
CRATEWRIGHT_EXPORT uint64_t cratewright_spirv_instructions(const uint8_t* module, uint64_t size) {
  constexpr uint64_t kHeader = 5;
  uint64_t count = 0;
  for (uint64_t at = kHeader * sizeof(uint32_t); at + sizeof(uint32_t) <= size; ++count) {
    const uint64_t words = module[at + 2] | module[at + 3] << 8;
    if (words == 0) break;
    at += words * sizeof(uint32_t);
  }
  return count;
}

}  // extern "C"
