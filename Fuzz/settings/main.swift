// Sources: Sources/Settings/SettingsNode.swift Sources/Settings/SettingsScalar.swift Sources/Settings/SettingsError.swift Sources/Settings/SettingsMapping.swift Sources/Settings/SettingsEditor.swift Sources/Settings/YAML*.swift Fuzz/Support/Seeds.swift -I Sources/CShims/CYAML
//
// Any text is refused with its place, or is a settings file within its bounds. What reads is written as something that
// reads the same, and a setting that is changed is there afterwards with the others as they were.

/// Files to start from.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> Int32 {
    Seeds.write([
        "port: 8080  # where\nusers:\n  fred: \"x\"\nlist:\n- a\n- {b: 'c', d: [1, 2]}\n",
        "a: &x {b: |\n  block\n  text\n}\nc: *x\n", "{a: 1, \"b\": !!str 2}\n", "? x\n: >-\n  folded\n",
        "---\n# nothing\n...\n", "a: !t 1\n", "%YAML 1.1\n---\na: \"\\u00fc\\0\"\n",
    ])
    return 0
}

/// One input of libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSettings(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    let yaml = String(decoding: UnsafeBufferPointer(start: data, count: size), as: UTF8.self)
    guard let node = try? YAMLReader.node(of: yaml, file: "f") else { return 0 }
    check(node)
    // A file that says nothing is written as nothing.
    if !node.isNull, let text = try? YAMLWriter.yaml(node) {
        guard let again = try? YAMLReader.node(of: text, file: "f") else { fatalError("written, not read") }
        precondition(again == node, "written as something else")
    }
    var editor = SettingsEditor(yaml: yaml, file: "f")
    guard let before = try? editor.value([]), before.entries != nil else { return 0 }
    guard (try? editor.set(["a"], to: .text("new"))) != nil else { return 0 }
    guard let after = try? editor.value([]) else { fatalError("changed into nothing that can be read") }
    precondition(after["a"] == .text("new"), "not set")
    let others = (before.entries ?? []).filter { $0.name != "a" }
    precondition((after.entries ?? []).filter { $0.name != "a" } == others, "another setting was changed")
    return 0
}

private func check(_ node: SettingsNode, depth: Int = 1) {
    precondition(depth <= YAMLReader.maximumDepth, "nested too deep")
    precondition((node.line ?? 0) > 0, "without a line")
    for element in node.elements ?? [] { check(element, depth: depth + 1) }
    var names: Set<String> = []
    for entry in node.entries ?? [] {
        precondition(names.insert(entry.name).inserted, "a name twice")
        check(entry.value, depth: depth + 1)
    }
}
