// Figures of a SPIR-V module, from its words alone.
//
// Knows nothing of the grammar: tables of the caller's say what an instruction is. `statistics.py` has the same rules and
// the reasons for them; a test holds the two together.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "export.h"

namespace {

constexpr uint32_t kOpcodes = 8192, kHeader = 5, kMostIds = 1u << 24, kAll = 255;
enum Trait : uint8_t { kLoad = 1, kStore = 2, kCopy = 4, kTexture = 8, kVarying = 16, kBuiltInEqual = 32, kBuffer = 64 };
enum Opcode : uint32_t {
  kExtInst = 12, kTypeArray = 28, kTypeRuntimeArray = 29, kTypePointer = 32, kSpecConstantOp = 52, kCall = 57,
  kVariable = 59, kOpLoad = 61, kOpStore = 62, kAccessChain = 65, kInBoundsAccessChain = 66, kPtrAccessChain = 67,
  kInBoundsPtrAccessChain = 70, kArrayLength = 68, kDecorate = 71, kPhi = 245, kLoopMerge = 246, kSelectionMerge = 247,
  kLabel = 248, kConditional = 250, kSwitch = 251, kUntypedPointer = 4417
};
enum Storage : uint32_t { kUniformConstant = 0, kInput = 1, kUniform = 2, kPrivate = 6, kFunction = 7, kPush = 9 };

struct Tables {
  const uint8_t* results;
  const uint8_t* operands;
  const uint8_t* traits;
};

class Definitions {
 public:
  Definitions(const uint32_t* words, uint64_t count, const Tables& tables, uint32_t bound)
      : words_(words), count_(count), tables_(tables), at_(bound), known_(bound), flags_(bound), built_in_(bound, ~0u),
        ended_(bound), merged_(bound), block_(bound) {}

  bool Count(uint64_t* out) {
    if (!Read()) return false;
    std::vector<std::vector<uint32_t>> stored(at_.size());
    for (const auto& [pointer, value] : stores_) stored[Root(pointer)].push_back(value);
    stored_.swap(stored);
    out[0] = loops_;
    out[1] = conditions_.size();
    out[2] = 0;
    for (uint32_t condition : conditions_) out[2] += !IsEqual(condition);
    out[3] = textures_;
    out[4] = 0;
    for (uint64_t at : accesses_) out[4] += IsBufferAccess(at);
    return true;
  }

 private:
  enum Flag : uint8_t { kPassed = 1, kBufferBlock = 2 };
  enum Known : uint8_t { kUnknown, kEqual, kVaries, kSeen };

  uint32_t Id(uint64_t at) const { return at < count_ && words_[at] < at_.size() ? words_[at] : 0; }
  uint32_t Opcode(uint64_t at) const { return words_[at] & 0xFFFF; }
  uint8_t Traits(uint32_t opcode) const { return opcode < kOpcodes ? tables_.traits[opcode] : uint8_t{kVarying}; }

  bool Read() {
    uint32_t label = 0, merge = 0;
    for (uint64_t at = kHeader; at < count_;) {
      const uint32_t length = words_[at] >> 16, opcode = Opcode(at);
      if (length == 0 || at + length > count_) return false;
      const uint8_t place = opcode < kOpcodes ? tables_.results[opcode] : 0;
      if (place) at_[Id(at + place)] = at;
      const uint8_t traits = Traits(opcode);
      if (traits & (kLoad | kStore | kCopy)) accesses_.push_back(at);
      if (opcode == kOpStore || traits & kCopy) stores_.emplace_back(Id(at + 1), Id(at + 2));
      if (traits & kTexture) ++textures_;
      switch (opcode) {
        case kLabel:
          label = Id(at + 1), merge = 0;
          break;
        case kPhi:
          block_[Id(at + 2)] = label;
          break;
        case kSelectionMerge:
          merge = Id(at + 1);
          break;
        case kLoopMerge:
          ++loops_;
          break;
        case kExtInst:
        case kCall:
          for (uint64_t each = at + 4; each < at + length; ++each) flags_[Id(each)] |= kPassed;
          break;
        case kConditional:
        case kSwitch:
          if (opcode == kSwitch || words_[at + 2] != words_[at + 3]) {
            conditions_.push_back(Id(at + 1));
            ended_[label] = Id(at + 1);
            if (merge) merged_[merge] = Id(at + 1);
          }
          break;
        case kDecorate:
          if (words_[at + 2] == 11 && length > 3) built_in_[Id(at + 1)] = words_[at + 3];
          if (words_[at + 2] == 3) flags_[Id(at + 1)] |= kBufferBlock;
          break;
        default:
          break;
      }
      at += length;
    }
    return true;
  }

  static bool IsChain(uint32_t opcode) {
    return opcode == kAccessChain || opcode == kInBoundsAccessChain || opcode == kPtrAccessChain ||
           opcode == kInBoundsPtrAccessChain;
  }

  uint32_t Root(uint32_t pointer) const {
    // A chain's base is defined before it: positions fall, so this ends.
    for (uint64_t at = at_[pointer]; at && IsChain(Opcode(at)); at = at_[pointer]) {
      const uint32_t base = Id(at + 3);
      if (at_[base] >= at) break;
      pointer = base;
    }
    return pointer;
  }

  uint64_t Pointer(uint32_t pointer) const {
    const uint64_t at = at_[pointer];
    const uint64_t kind = at ? at_[Id(at + 1)] : 0;
    return kind && (Opcode(kind) == kTypePointer || Opcode(kind) == kUntypedPointer) ? kind : 0;
  }

  bool IsBufferAccess(uint64_t at) const {
    const uint8_t traits = Traits(Opcode(at));
    const uint64_t first = traits & (kCopy | kStore) ? 1 : 3, last = traits & kCopy ? 2 : first;
    for (uint64_t place = first; place <= last; ++place) {
      const uint64_t kind = Pointer(Id(at + place));
      if (kind && words_[kind + 2] < kOpcodes && tables_.traits[words_[kind + 2]] & kBuffer) return true;
    }
    return false;
  }

  bool IsSharedOrOwn(uint32_t pointer) const {
    const uint64_t kind = Pointer(pointer);
    if (!kind) return false;
    const uint32_t storage = words_[kind + 2];
    if (storage != kUniform)
      return storage == kUniformConstant || storage == kPush || storage == kInput || storage == kPrivate ||
             storage == kFunction;
    const uint64_t whole = Pointer(Root(pointer));
    uint32_t type = whole && words_[whole] >> 16 > 3 ? Id(whole + 3) : 0;
    for (uint64_t at = at_[type]; at && (Opcode(at) == kTypeArray || Opcode(at) == kTypeRuntimeArray); at = at_[type]) {
      if (at_[Id(at + 2)] >= at) break;
      type = Id(at + 2);
    }
    return !(flags_[type] & kBufferBlock);
  }

  // Adds what a value is made of; false if it may vary by itself.
  bool Used(uint32_t number, std::vector<uint32_t>* used) const {
    const uint64_t at = at_[number];
    if (!at) return false;
    const uint32_t opcode = Opcode(at);
    if (Traits(opcode) & kVarying) return false;
    const uint64_t end = at + (words_[at] >> 16);
    switch (opcode) {
      case kVariable: {
        const uint32_t storage = words_[at + 3];
        if (storage == kUniformConstant || storage == kUniform || storage == kPush) return true;
        if (storage == kInput)
          return built_in_[number] < kOpcodes && tables_.traits[built_in_[number]] & kBuiltInEqual;
        if ((storage != kPrivate && storage != kFunction) || flags_[number] & kPassed) return false;
        used->insert(used->end(), stored_[number].begin(), stored_[number].end());
        return true;
      }
      case kOpLoad:
        used->push_back(Id(at + 3));
        return IsSharedOrOwn(Id(at + 3));
      case kArrayLength:
      case kSpecConstantOp:
        return true;
      case kExtInst:
        for (uint64_t each = at + 5; each < end; ++each) used->push_back(Id(each));
        return true;
      case kPhi:
        for (uint64_t each = at + 3; each + 1 < end; each += 2) {
          used->push_back(Id(each));
          if (uint32_t deciding = ended_[Id(each + 1)]) used->push_back(deciding);
        }
        if (uint32_t deciding = merged_[block_[number]]) used->push_back(deciding);
        return true;
      default: {
        const uint64_t first = at + tables_.results[opcode] + 1, count = tables_.operands[opcode];
        for (uint64_t each = first; each < end && (count == kAll || each < first + count); ++each)
          used->push_back(Id(each));
        return true;
      }
    }
  }

  bool IsEqual(uint32_t value) {
    std::vector<uint32_t> seen{value}, used;
    if (known_[value] == kEqual) return true;
    bool equal = true;
    known_[value] = known_[value] == kVaries ? kVaries : kSeen;
    for (size_t next = 0; next < seen.size() && equal; ++next) {
      used.clear();
      equal = known_[seen[next]] != kVaries && Used(seen[next], &used);
      if (!equal) break;
      for (uint32_t each : used) {
        if (known_[each] == kEqual || known_[each] == kSeen) continue;
        if (known_[each] == kVaries) {
          equal = false;
          break;
        }
        known_[each] = kSeen;
        seen.push_back(each);
      }
    }
    for (uint32_t each : seen)
      if (known_[each] == kSeen) known_[each] = equal ? kEqual : kUnknown;
    if (!equal) known_[value] = kVaries;
    return equal;
  }

  const uint32_t* words_;
  uint64_t count_;
  const Tables& tables_;
  std::vector<uint64_t> at_;
  std::vector<uint8_t> known_, flags_;
  std::vector<uint32_t> built_in_, ended_, merged_, block_;
  std::vector<std::vector<uint32_t>> stored_;
  std::vector<std::pair<uint32_t, uint32_t>> stores_;
  std::vector<uint32_t> conditions_;
  std::vector<uint64_t> accesses_;
  uint64_t loops_ = 0, textures_ = 0;
};

}  // namespace

// Writes five figures; `tables` are three of 8192 bytes by opcode, one after another. Returns 0 for what is damaged.
extern "C" CRATEWRIGHT_EXPORT uint32_t cratewright_spirv_statistics(const uint8_t* module, uint64_t size,
                                                                    const uint8_t* tables, uint64_t* out) {
  try {
    std::vector<uint32_t> words(size / sizeof(uint32_t));
    if (words.size() < kHeader) return 0;
    std::memcpy(words.data(), module, words.size() * sizeof(uint32_t));
    const uint32_t bound = words[3];
    if (bound == 0 || bound > kMostIds) return 0;
    const Tables all{tables, tables + kOpcodes, tables + 2 * kOpcodes};
    return Definitions(words.data(), words.size(), all, bound).Count(out);
  } catch (...) {
    return 0;
  }
}
