"""What an SConstruct may say, by kind: words of a call, and statements before, between and after calls.

Shape: `{c}` and `{d}` stand for crates with images, `{lib}` for one without, `{n}` for a number.
"""

# ruff: noqa: E501 - a statement is a line

from __future__ import annotations

__all__ = [
    "BEFORE", "DEPS", "FLAGS", "FOREIGN", "GATHERING", "INCLUDES", "LISTS", "MADE", "MATCHED", "MERGING", "OPTIONS",
    "OTHERS", "QUIET", "SOURCES", "WHOLE",
]  # fmt: skip

_LEVELS = ('"0"', '"3"', '"s"', "0", "3", "1", "3", '"1"', "1", "True", "1.0")
_FLAGS = ("True", "1", "False", "0", '"1"', "None")
OPTIONS = (
    *(f"multimodule={flag}" for flag in ("True", "True", "False", "1", '"1"')),
    *(f"opt_level={level}" for level in _LEVELS),
    *(f"preserve_bindings={flag}" for flag in _FLAGS),
    *('lto="fat"', 'lto="off"', 'debuginfo="full"', 'debuginfo="none"', "disassemble=True", 'dump_post_link="dump"'),
    *('defines={"Q": "2"}', 'defines={"Q": 2}', 'defines=["Q=3"]', 'defines="Q=$Q"', "defines={'Q': VERSION}"),
    *('GLSLDEFINES=["Q=2"]', 'CRATE_OPT_LEVEL="3"', 'profile="release"', 'profile="mine"', 'profile="plug"'),
    *('version="1.2"', 'variants={"Q": [1, 2]}', 'variants={"Q": [True, 1, 2]}, when="Q != 2"', 'metadata="x"'),
    *('target=["vulkan1.2", "vulkan1.3"]', 'strip="split"', 'spirv_metadata="full"', "spirv_val=False"),
    *("preserve_bindings=Flag()", "defines={'Q': Text()}", "defines=dict(Q=Odd())"),
)
INCLUDES = ('["inc"]', '"inc"', '[Dir("inc")]', '["inc2", "inc"]', '["#inc"]', '["$INC"]', '("inc",)', "INCLUDES")
SOURCES = (
    *(
        '"s{a}.comp"',
        'File("s{a}.comp")',
        '("s{a}.comp", {{"opt_level": "3"}})',
        '("s{a}.comp", {{"defines": ["Q=2"]}})',
    ),
    *('"s{a}.comp"', '"s{a}.comp"', '"sub/s9.comp"', '"#s{a}.comp"', "TEXT", "Text('s{a}.comp')", '"$SOURCE0"'),
)
LISTS = ("[{}]", "[{}]", "[{}]", "({},)", "Flatten([[{}]])", "SCons.Util.CLVar([{}])", "SCons.Util.NodeList([{}])")
WHOLE = (
    'Glob("s*.comp")',
    'Glob("s[01].comp")',
    'env.Command("gen.comp", "s0.comp", Copy("$TARGET", "$SOURCE"))',
    '(s for s in ["s0.comp"])',
    "SOURCES",
    'Split("s0.comp s1.comp")',
    'sorted(Glob("s*.comp"), key=str)[:2]',
)
DEPS = ("lib0", "lib0", "lib0", '"lib0"', "lib0.rlib", "*lib0", '"liblib0.rlib"')

MADE = (
    'env.Command("gen/a.comp", "s0.comp", Copy("$TARGET", "$SOURCE"))',
    'env.Command("gen/b.comp", "s1.comp", Copy("$TARGET", "$SOURCE"))',
    'env.Command(["gen/c.comp", "gen/d.comp"], "s1.comp", "cat $SOURCE > gen/c.comp; cat $SOURCE > gen/d.comp")',
    'env.Command("o0.txt", "dep.txt", Copy("$TARGET", "$SOURCE"))',
    'env.Install("gen", Glob("s[01].comp"))',
)
"""What makes files that patterns match."""
MATCHED = (
    *('Glob("gen/*.comp")', 'Glob("gen/*.comp") + ["s2.comp"]', '["s2.comp", *Glob("gen/[ab].comp")]'),
    *('Glob("gen/*.comp", ondisk=False) or ["s2.comp"]', 'Glob("gen/*.comp", exclude=["gen/a.comp"]) + ["s2.comp"]'),
)
GATHERING = (
    'env.Command("o1.txt", Glob("*.spv"), "cat $SOURCES dep.txt | wc -c > $TARGET")',
    'env.Command("o2.txt", [Glob("o[01].txt"), "dep.txt"], "cat $SOURCES > $TARGET")',
    'env.Command("o3.txt", sorted(Glob("gen/*"), key=str) + ["dep.txt"], "cat $SOURCES > $TARGET")',
    *('env.Install("inst", Glob("*.spv"))', 'env.Install("inst", Glob("gen/*.comp"))'),
    'env.Install("inst", Glob("*.rlib"))',
    *('print([str(node) for node in Glob("gen/*")])', 'print([str(node) for node in Glob("*.spv")])'),
)
"""What patterns are used for, other than crates."""
FLAGS = (
    *('parse_flags=read("flags.txt")', 'parse_flags=["-Iinc", read("flags.txt")]'),
    *('parse_flags="-Iinc -DQ=2"', 'parse_flags="-Iinc -D$MORE"', 'parse_flags={"GLSLDEFINES": ["Q=2"]}'),
    'include_dirs=["inc"], parse_flags=read("flags.txt")',
)
MERGING = (
    *('env.MergeFlags(read("flags.txt"))', 'env.MergeFlags("!cat flags.txt")', 'env.ParseConfig("cat flags.txt")'),
    *('env.MergeFlags({"GLSLDEFINES": ["Q=3"]})', 'env.MergeFlags({"GLSLPATH": ["inc2"], "GLSLDEFINES": "R"})'),
    *('env.MergeFlags(env.ParseFlags(read("flags.txt")))', 'env["MORE"] = read("flags.txt")[-3:].strip()'),
    'env = env.Clone(parse_flags=read("flags.txt"))',
    'env.Replace(GLSLDEFINES=env.ParseFlags(read("flags.txt"))["CPPDEFINES"])',
)
"""Where an Environment gets flags from."""

BEFORE = (
    'Q = 2', "INCLUDES = ['inc']", "SOURCES = ['s0.comp', 's1.comp']", 'VERSION = read("VERSION").strip().split(".")[0]',
    'TEXT = "s0.comp"',
    'class Text(str):\n    pass',
    'class Flag:\n    def __bool__(self):\n        return read("flag") == "1"\n    def __str__(self):\n        return "1"',
    'class Odd:\n    def __str__(self):\n        return read("VERSION").strip()[0]',
)  # fmt: skip
_QUIET = r"""
env["CRATE_OPT_LEVEL"] = "3"
env["CRATE_OPT_LEVEL"] = True
env["CRATE_OPT_LEVEL"] = 1
env["CRATE_OPT_LEVEL"] = 1.0
env.Append(GLSLDEFINES=["Q=1"])
env.Append(GLSLDEFINES=["Q=2"])
env.Append(GLSLDEFINES={"Q": VERSION})
env["GLSLDEFINES"] = __import__("collections").OrderedDict(Q=1)
env["GLSLDEFINES"] = __import__("collections").UserDict(Q=1)
env["MINE"] = [1, [2]]
env["MINE"] = (1, True)
env["MINE"][1].append(3) if "MINE" in env and isinstance(env["MINE"], list) else None
env["MINE"] = lambda **kw: "x"
env["MINE"] = Odd()
env["MINE"] = File("s0.comp")
env["MINE"] = {c}
env["Q"] = "5"
env["Q"] = lambda target=None, source=None, env=None, for_signature=None: read("VERSION")[0]
env["Q"] = Odd()
env["INC"] = "inc2"
env.Replace(CRATE_PROFILE="release")
env.Replace(CRATE_PROFILE=None)
env.Append(GLSLPATH=["inc2"])
env.Prepend(GLSLPATH=["inc2", "inc"])
INCLUDES.append("inc2")
INCLUDES.insert(0, "inc2")
SOURCES.append("s2.comp")
SOURCES.pop()
os.environ["CRATE_OPT_LEVEL"] = "3"
os.environ["CRATE_GLSLANG"] = "wheel"
os.environ["MINE"] = read("VERSION").strip()
os.environ.pop("CRATE_OPT_LEVEL", None)
ARGUMENTS["CRATE_OPT_LEVEL"] = "3"
ARGUMENTS["CRATE_OPT_LEVEL"] = read("VERSION")[0]
ARGUMENTS.pop("CRATE_OPT_LEVEL", None)
ARGUMENTS["Q"] = "1"
env["ENV"]["MINE"] = "1"
env["ENV"]["CRATE_OPT_LEVEL"] = "3"
env.PrependENVPath("PATH", TOP + "/bin")
os.environ["PATH"] = TOP + "/bin:" + os.environ["PATH"]
env["CRATE_OPT_LEVEL"] = ARGUMENTS.get("level", "0")
env["CRATE_OPT_LEVEL"] = "3" if os.path.exists("flag") else "0"
env["CRATE_OPT_LEVEL"] = read("VERSION")[0]
env.CrateProfile("mine", inherits="dev", opt_level=read("VERSION")[0])
env.CrateProfile("mine", inherits="release")
Default({c})
Default({c}, {lib})
Default({lib})
Default("{c}.spv")
Default(None)
Default(".")
Default({c}.image)
T = []; T += {c}; T += {lib}; Default(T)
T = list({c}); Default(T[0]); T.append({lib}); Default(T)
T = {c} + {lib}; Default(T)
T = [*{c}]; {c}.pop(); Default(T)
T = [*{c}, *{lib}]; {lib}.extend({c}); Default({lib}); print(len(T), T[0] is {c}[0], [str(n) for n in T])
T = []; T.extend({c}); T += {c}; Default(T)
T = SCons.Util.NodeList({c}); Default(T); env["MINE"] = T
T = Flatten([list({c}), {lib}]); Default(T); Depends(T[:1], "dep.txt")
Default({c}[0].abspath)
Alias("all", [{c}, {lib}])
Alias("all", [{c}])
Alias("all", "{c}.spv")
Alias("more", "all"), Alias("all", {c})
Default(Alias("def", [{c}]))
BUILD_TARGETS.append("{c}.spv")
BUILD_TARGETS[:] = ["lib{n}"]
print(COMMAND_LINE_TARGETS, BUILD_TARGETS, [str(t) for t in DEFAULT_TARGETS])
print("{c}", [str(node) for node in {c}], len({c}), bool({c}), {c}.name, repr({c}))
print({c}.key)
print(str({c}.image), str({c}.manifest))
print(str({c}.rlink), str({c}.rlib))
print(sorted({c}.images), [str(node) for node in {c}.images.values()])
print([str(node) for node in {c}.emitted], sorted({c}.targets))
print({c}[0].abspath, {c}[0].path, {c}[0].name, {c}[0].dir, {c}[0].get_internal_path(), {c}[0].labspath)
print([str(node) for node in {c}[0].sources])
print([str(node) for node in {c}[0].children()])
print([str(node) for node in {c}[0].all_children()])
print({c}[0].has_builder(), {c}[0].is_derived(), {c}[0].has_explicit_builder())
print(type({c}[0].builder).__name__, {c}[0].builder is None)
print({c}[0].executor is None)
print(str({c}[0].get_executor()))
print([str(a) for a in {c}[0].get_executor().get_all_targets()])
print({c}[0].get_state(), {c}[0].exists(), {c}[0].rexists())
print({c}[0].get_csig()) if os.path.exists({c}[0].abspath) and os.path.isfile({c}[0].abspath) else None
print({c}[0].get_contents()[:20]) if os.path.isfile({c}[0].abspath) else None
print({c}[0].get_size()) if os.path.isfile({c}[0].abspath) else None
print({c}[0].is_up_to_date()) if False else None
print({c}[0].get_env() is None, {c}[0].env is None)
print({c}[0].get_build_env() is None)
print({c}[0].get_suffix(), {c}[0].srcnode(), {c}[0].rfile(), {c}[0].get_dir())
print({c}[0].depends, {c}[0].ignore, {c}[0].side_effects, {c}[0].always_build, {c}[0].precious)
print(isinstance({c}[0], SCons.Node.FS.File), isinstance({c}[0], SCons.Node.FS.Dir))
print(type({c}[0]) is SCons.Node.FS.File)
print({c}[0] == File("{c}.spv"), {c}[0] is {c}.image, {c}[0] in [{c}[0]], {c} == {d})
print(str({c}[0].get_found_includes(env, None, ())) if False else {c}[0].implicit)
print(sorted(vars({c}[0].attributes)) == [])
print([str(n) for n in ({c} + {lib})], [str(n) for n in {c}[:1]], [str(n) for n in reversed({c})])
print([str(n) for n in env.arg2nodes([{c}])], [str(n) for n in Flatten([{c}, [{lib}]])])
print({c}.abspath, {c}.path, {c}.exists())
print([str(n) for n in Glob("*.spv")])
print([str(n) for n in Glob("*")])
print([str(n) for n in Glob("*.rlib")], [str(n) for n in Glob("*.rlink")])
print([str(n) for n in Glob("*.spvs/*")], [str(n) for n in Glob("*.json")])
print([str(n) for n in Glob("*.spv", ondisk=False)], [str(n) for n in Glob("lib*", strings=True)])
print(sorted(os.listdir(".")) == [], os.path.exists("{c}.spv"))
print(FindFile("{c}.spv", ".") is None, FindFile("liblib0.rlib", ".") is None)
print(sorted(str(n) for n in FindSourceFiles()))
print(sorted(Dir(".").entries))
print(File("liblib0.rlib").has_builder(), File("{c}.rlink").has_builder(), File("{c}.spv.json").has_builder())
print(type(Entry("{c}.spv")).__name__, type(Entry("{c}.spvs")).__name__)
print(Entry("{c}.spv").has_builder(), Entry("{c}.spvs").has_builder())
File("{c}.spvs/s0.comp.spv")
Dir("{c}.spvs")
print([str(n) for n in Dir("{c}.spvs").glob("*")])
{c}.append(File("dep.txt")), print([str(n) for n in {c}])
{c}.pop(), print(len({c}))
{c}.mine = 1
{c}[0].attributes.mine = 1
{c}[0].precious = True
print(getattr({c}, "mine", None), getattr({c}[0].attributes, "mine", None))
{c}.sort(key=str)
del {c}[0]
saved = copy.copy({c}), print([str(n) for n in saved])
Default(copy.copy({c}))
Default(SCons.Util.NodeList(list({c})))
Default(list({c}))
Default([{c}[-1]])
write("inc/h.h", "#define K %s\n" % read("VERSION").strip())
write("inc/h.h", "#define K 2.0\n", always=True)
write("s0.comp", read("s0.comp").replace("K", "K * K") if "K * K" not in read("s0.comp") and os.path.exists("flag") else read("s0.comp"))
write("l0.glsl", "#version 460\nfloat f0(float x) {{ return x * %s; }}\n" % read("VERSION").strip())
write("new.h", "// new\n")
write("h.h", "#define K 8.0\n") if os.path.exists("flag") else None
os.path.exists("h.h") and os.remove("h.h")
os.path.exists("{c}.spv") and os.path.exists("flag") and os.remove("{c}.spv")
os.path.exists("flag") and write("{c}.spv", "junk")
sys.path.insert(0, os.path.join(TOP, "plug"))
try:\n    import plugprof\n    cratewright.register(plugprof)\nexcept Exception as error:\n    print("plugin", type(error).__name__)
try:\n    env.Crate("bad", ["none.glsl"], opt_level="9")\nexcept Exception as error:\n    print("caught", error)
try:\n    env.Crate("{c}", ["s0.comp"])\nexcept Exception as error:\n    print("caught", error)
try:\n    env.Crate("none", ["none.comp"], deps=["nobody"], crate_type="cdylib")\nexcept Exception as error:\n    print("caught", error)
SetOption("implicit_cache", 1)
SetOption("max_drift", 0)
SetOption("num_jobs", 2)
SetOption("random", 1)
SetOption("no_exec", os.path.exists("flag"))
SetOption("clean", os.path.exists("flag"))
SetOption("silent", True)
SetOption("md5_chunksize", 32)
SetOption("warn", "no-all")
print(GetOption("num_jobs"), GetOption("implicit_cache"), GetOption("clean"), GetOption("max_drift"))
Decider("timestamp-newer")
Decider("MD5-timestamp")
env.Decider("content")
Decider(lambda dependency, target, prev_ni, repo_node=None: os.path.exists("flag"))
CacheDir("cachedir")
SConsignFile("sub/memory")
SConsignFile(None)
Repository("repo")
Help("some help\n")
AddOption("--mine", dest="mine", action="store_true"), print(GetOption("mine"))
print([str(n) for n in Dir(".").glob("*.rlink")], [str(n) for n in Dir(".").glob("*.rlib", ondisk=False)])
print([str(n) for n in Dir(".").glob("*.spv")], Dir(".").Entry("{c}.spv.json").has_builder())
atexit.register(lambda: print("END", {c}[0].get_state(), File("{c}.rlink").has_builder(), len({c})))
atexit.register(lambda: print("END", [str(t) for t in BUILD_TARGETS], [str(t) for t in DEFAULT_TARGETS]))
print([str(t) for t in DEFAULT_TARGETS], {c}[0] in DEFAULT_TARGETS)
saved = list(DEFAULT_TARGETS)
saved = list(DEFAULT_TARGETS), Alias("saved", DEFAULT_TARGETS)
env.Append(SCANNERS=Scanner(function=lambda node, env, path: [File("dep.txt")] if os.path.exists("flag") else [], skeys=[".comp"]))
{c}[0].add_dependency([File("dep.txt")]) if os.path.exists("flag") else None
env.Dictionary()["CRATE_OPT_LEVEL"] = "3"
env["ENV"] = dict(env["ENV"], MINE="1")
env.CrateProfile("plug", inherits="release")
env["CRATE_TIMEOUT"] = "abc"
env["CRATE_PLUGINS"] = "-native"
env["CRATE_CACHE"] = "nosuch://x"
env["CRATE_LTO"] = "fat"
env["GLSLFLAGS"] = "-w"
def later(target={c}):\n    return [str(node) for node in target]\natexit.register(lambda: print("LATER", later()))
os.path.exists("flag") and Exit(0)
os.path.exists("flag") and Exit(3)
env.Execute("true")
env.Execute(Touch("touched"))
Execute(Copy("inc/h.h", "h.in")) if os.path.exists("flag") else None
atexit.register(lambda: print("END", os.path.exists("{c}.spv"), len(GetBuildFailures())))
Progress("$TARGET\n")
Progress(lambda node: print("AT", node))
env.Clone(CRATE_OPT_LEVEL="3").Crate("e2", ["s2.comp"], deps=[lib0], crate_type="cdylib", include_dirs=["inc"])
env.Override({{"CRATE_OPT_LEVEL": "3"}}).Crate("e3", ["s2.comp"], deps=[lib0], crate_type="cdylib", include_dirs=["inc"])
x = SConscript("sub/SConscript", exports="env lib0")
x = SConscript("sub/SConscript", exports="env lib0", variant_dir="build", duplicate=0)
x = SConscript("sub/SConscript", exports="env lib0", variant_dir="build")
VariantDir("build", "inc")
env.CrateWorkspace("crates.toml")
Default(*env.CrateWorkspace("crates.toml").values())
SConscriptChdir(0)
os.chdir("sub"), os.chdir(TOP)
lib0 = lib0
env.Crate("w%s" % read("VERSION")[0], ["s3.comp"], deps=[lib0], crate_type="cdylib", include_dirs=["inc"])
[env.Crate("each%d" % n, ["s%d.comp" % n], deps=[lib0], crate_type="cdylib", include_dirs=["inc"]) for n in range(2)]
env = env.Clone()
env = env.Clone(GLSLDEFINES=["Q=4"])
DefaultEnvironment()
"""
_FOREIGN = r"""
env.Command("o{n}.txt", {c}, "echo made > $TARGET")
env.Command("o{n}.txt", "{c}.spv", Copy("$TARGET", "$SOURCE"))
env.Command("o{n}.txt", {c}[0], "cat $SOURCE > $TARGET")
env.Command("o{n}.txt", {c}.image, Action(lambda target, source, env: write(str(target[0]), str(source[0]), True)))
env.Command("o{n}.txt", "liblib0.rlib", Copy("$TARGET", "$SOURCE"))
env.Command("o{n}.txt", {c}.rlink, Copy("$TARGET", "$SOURCE"))
env.Command("o{n}.txt", "{c}.rlink", Copy("$TARGET", "$SOURCE"))
env.Command("o{n}.txt", Glob("*.spv"), "cat $SOURCES > $TARGET")
env.Command("o{n}.txt", Glob("*.rlib"), "cat $SOURCES > $TARGET")
env.Command("o{n}.txt", Glob("*.spvs/*"), "cat $SOURCES > $TARGET")
env.Command("o{n}.txt", [], Touch("$TARGET"))
env.Command("inc/h.h", "h.in", Copy("$TARGET", "$SOURCE"))
env.Command("inc2/h.h", "h.in", Copy("$TARGET", "$SOURCE"))
env.Command("s0.comp", "s1.comp", Copy("$TARGET", "$SOURCE"))
env.Command("dep.txt", "h.in", Copy("$TARGET", "$SOURCE"))
env.Command("{c}.spv.extra", [{c}, "dep.txt"], "wc -c < dep.txt > $TARGET")
env.Command(Value("v"), {c}, Action(lambda target, source, env: None))
env.Command("o{n}.txt", Value(read("VERSION")), Action(lambda target, source, env: write(str(target[0]), "v", True)))
env.Install("inst", {c})
env.Install("inst", {c}), Default("inst")
env.InstallAs("inst/x.spv", {c}[0])
env.Install("inst", "{c}.spv")
env.Install("inst", {lib}.rlib)
env.Install("inst", Glob("*.spv"))
AddPostAction({c}, Action(lambda target, source, env: print("POST", target[0]), None))
AddPostAction("{c}.spv", Action(lambda target, source, env: print("POST", target[0]), None))
AddPreAction({c}, Action(lambda target, source, env: print("PRE", target[0]), None))
AddPostAction({lib}, Action(lambda target, source, env: print("POST", target[0]), None))
Depends({c}, "dep.txt")
Depends({c}, File("dep.txt"))
Depends("{c}.spv", "dep.txt")
Depends({c}, {d})
Depends({lib}, "dep.txt")
Depends("all", {c})
Requires({c}, "dep.txt")
Ignore({c}, "s0.comp")
Ignore(".", {c})
NoClean({c})
Clean({c}, "junk.txt")
Precious({c})
AlwaysBuild({c})
AlwaysBuild("{c}.spv")
SideEffect("side.txt", {c})
NoCache({c})
Pseudo({c})
ParseDepends("deps.d")
Alias("act", {c}, "echo acted")
Alias("act", {c}, "echo acted"), Default("act"), AlwaysBuild("act")
env.Textfile("text.txt", [str(node) for node in {c}])
conf = Configure(env); print(conf.CheckProg("sh")); env = conf.Finish()
env.Local("{c}.spv")
{c}[0].add_dependency([File("dep.txt")])
{c}[0].set_always_build()
{c}[0].add_source([File("dep.txt")])
{c}[0].set_nocache()
{c}[0].set_precious()
{c}[0].builder_set(None)
{c}[0].get_executor().add_post_action(Action(lambda target, source, env: print("POST2"), None))
env["BUILDERS"]["CrateLink"] = Builder(action="false")
env["BUILDERS"]["Mine"] = Builder(action=Copy("$TARGET", "$SOURCE")), env.Mine("mine.txt", {c})
env.AddMethod(lambda env, *words, **more: print("mine", words[0]), "Crate")
"""


def _statements(text: str) -> list[str]:
    return [
        line.replace("\\n", "\n") if line.startswith(("try:", "def ")) else line for line in text.strip().splitlines()
    ]


_OTHERS = r"""
env.Command("o{n}.txt", [{c}.image or {lib}[0], "dep.txt"], "cat $SOURCES > $TARGET")
env.Command("o{n}.txt", [{c}[-1], {d}[0]], "cat $SOURCES | wc -c > $TARGET")
env.Command("o{n}.txt", {c}.rlink, Copy("$TARGET", "$SOURCE")), Default({d}, "o{n}.txt")
env.Command("o{n}.txt", "dep.txt", "cat $SOURCE inc/h.h > $TARGET"), Depends("o{n}.txt", {c})
env.Command("o{n}.txt", "dep.txt", "cp $SOURCE $TARGET"), Requires("o{n}.txt", {c})
env.Command("o{n}.txt", {c}, "cat $SOURCE > $TARGET"), Ignore("o{n}.txt", {c})
env.Command("o{n}.txt", {c}, "cat $SOURCE > $TARGET"), AlwaysBuild("o{n}.txt")
env.Command("o{n}.txt", {c}, ["cat $SOURCE > $TARGET", "echo more > side{n}.txt"]), SideEffect("side{n}.txt", "o{n}.txt")
env.Command(["o{n}.txt", "o9.txt"], ["s0.comp", {c}], "cat $SOURCES > o{n}.txt; cp dep.txt o9.txt")
env.Command("o{n}.txt", {c}, Action(lambda target, source, env, c={c}: write(str(target[0]), str(c.image) + read("dep.txt"), True)))
env.Command("o{n}.txt", [str(node) for node in {c}], "cat $SOURCES > $TARGET")
env.Command("o{n}.txt", "dep.txt", "cp $SOURCE $TARGET"), env.Command("o8.txt", ["o{n}.txt", {c}], "cat $SOURCES > $TARGET")
AddPostAction(env.Command("o{n}.txt", {c}, "cat $SOURCE > $TARGET"), Action(lambda target, source, env: print("POST", target[0]), None))
env.Command("inc/gen.h", "h.in", Copy("$TARGET", "$SOURCE"))
env.Command("inc/h.h", "h.in", Copy("$TARGET", "$SOURCE"))
env.Command("h.h", "h.in", Copy("$TARGET", "$SOURCE"))
env.Command("inc/k.h", ["h.in", {lib}[0]], Copy("$TARGET", "$SOURCE"))
env.Command("s3.comp", "s1.comp", Copy("$TARGET", "$SOURCE"))
env.Command("o{n}.txt", "h.in", ["cp $SOURCE $TARGET", "cp $SOURCE h.h"]), SideEffect("h.h", "o{n}.txt")
env.Command("o{n}.txt", Value(read("VERSION")), Action(lambda target, source, env: write(str(target[0]), "v", True)))
env.Textfile("text{n}.txt", [str(node) for node in {c}])
env.Textfile("text{n}.txt", [read("VERSION"), {c}.name])
env.Install("inst", [{c}.image or {lib}[0], {c}.manifest or {lib}[0]])
env.Install("inst", {c}), env.Install("inst", {lib})
env.Install("inst", [{c}, "dep.txt"]), Default("inst")
env.InstallAs("inst/x.spv", {c}[0]), Default({d}), Default("inst/x.spv")
env.Install("inst", [list({c}), {d}[:1]])
env.Install("inst", "inc/h.h"), env.Command("o{n}.txt", "inst/h.h", Copy("$TARGET", "$SOURCE"))
Alias("install", env.Install("inst", {c}))
Alias("install", env.Install("inst", {c})), Default({d})
Alias("install", env.Install("inst", {c})), Default("install")
Default(env.Command("o{n}.txt", {c}, "cat $SOURCE > $TARGET"))
Default(env.Command("o{n}.txt", "dep.txt", "cp $SOURCE $TARGET"), {c})
Default({c}, env.Command("o{n}.txt", {d}, "cat $SOURCE > $TARGET"))
Alias("both", [{c}, env.Command("o{n}.txt", "dep.txt", "cp $SOURCE $TARGET")])
Alias("act", env.Command("o{n}.txt", {c}, "cat $SOURCE > $TARGET"), "echo acted")
conf = Configure(env); print(conf.CheckProg("sh")); env = conf.Finish()
env.Command("o{n}.txt", {c}, "cat $SOURCE > $TARGET && ! grep -q 5 dep.txt")
env.Command("o{n}.txt", "dep.txt", "cp $SOURCE $TARGET && ! grep -q 5 dep.txt")
print([str(node) for node in env.Command("o{n}.txt", {c}, "cat $SOURCE > $TARGET")[0].children()])
env.Object("obj{n}.o", "x.c"), Depends("obj{n}.o", {c})
env.Program("prog{n}", ["x.c"], CPPPATH=["inc"])
x = SConscript("sub/SConscript", exports="env lib0", variant_dir="build", duplicate=0)
x = SConscript("sub/SConscript", exports="env lib0", variant_dir="build", duplicate=0); env.Install("inst", x)
x = SConscript("sub/SConscript", exports="env lib0", variant_dir="build"); env.Install("inst", x)
VariantDir("b2", "sub", duplicate=0), env.Crate("y", ["b2/s9.comp"], deps=[lib0], crate_type="cdylib", include_dirs=["inc"])
VariantDir("b2", ".", duplicate=0), SConscript("b2/sub/SConscript", exports="env lib0")
VariantDir("b2", "sub"), env.Crate("y", [Glob("b2/*.comp")], deps=[lib0], crate_type="cdylib", include_dirs=["inc"])
VariantDir("b3", "."), env.Crate("z", ["b3/s1.comp", "b3/s2.comp"], deps=[lib0], crate_type="cdylib", include_dirs=["b3/inc"])
VariantDir("b3", "."), env.Crate("z", Glob("b3/s*.comp"), deps=[lib0], crate_type="cdylib", include_dirs=["inc"], multimodule=True)
VariantDir("b3", "."), env.Install("inst", ["b3/dep.txt", env.Crate("z", ["b3/s1.comp"], deps=[lib0], crate_type="cdylib", include_dirs=["inc"])])
VariantDir("b3", "."), File("b3/dep.txt"), env.Crate("z", ["b3/s1.comp"], deps=[lib0], crate_type="cdylib", include_dirs=["inc"])
VariantDir("b3", "."), VariantDir("b4", "b3"), env.Crate("z", ["b4/s1.comp"], deps=[lib0], crate_type="cdylib", include_dirs=["inc"])
env.Zip("z{n}.zip", ["dep.txt"]), env.Command("o{n}.txt", {c}, "wc -c < $SOURCE > $TARGET")
"""
"""Of which SCons makes something besides crates, or of their files."""

QUIET, FOREIGN, OTHERS = _statements(_QUIET), _statements(_FOREIGN), _statements(_OTHERS)
