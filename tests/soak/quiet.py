"""Statements about crates that build nothing: settings, directories, lists of nodes, queries."""

# ruff: noqa: E501 - tables

from __future__ import annotations

from .lines import statements_of

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

QUIET = statements_of(_QUIET)
