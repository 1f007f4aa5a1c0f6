import CYAML

/// Writes a ``SettingsNode`` as YAML, by libyaml's emitter: each value on a line of its own.
struct YAMLWriter: ~Copyable {
    /// Why a node cannot be written.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    // libyaml keeps pointers into both: they must not move.
    private let emitter: UnsafeMutablePointer<yaml_emitter_t>
    private let output: UnsafeMutablePointer<[UInt8]>

    /// The text of a node.
    static func yaml(_ node: SettingsNode) throws(Failure) -> String {
        let writer = try YAMLWriter()
        try writer.write(node)
        return String(decoding: writer.output.pointee, as: UTF8.self)
    }

    private init() throws(Failure) {
        emitter = .allocate(capacity: 1)
        emitter.initialize(to: yaml_emitter_t())
        output = .allocate(capacity: 1)
        output.initialize(to: [])
        guard yaml_emitter_initialize(emitter) == 1 else {
            emitter.deallocate()
            output.deinitialize(count: 1)
            output.deallocate()
            throw Failure(description: "there is no memory to write it")
        }
        yaml_emitter_set_output(
            emitter,
            { output, bytes, count in
                output?.assumingMemoryBound(to: [UInt8].self).pointee
                    .append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
                return 1
            }, output)
        yaml_emitter_set_unicode(emitter, 1)
        // No line is broken: a value stays on its line.
        yaml_emitter_set_width(emitter, -1)
    }

    deinit {
        yaml_emitter_delete(emitter)
        emitter.deallocate()
        output.deinitialize(count: 1)
        output.deallocate()
    }

    private func write(_ node: SettingsNode) throws(Failure) {
        try emit { yaml_stream_start_event_initialize(&$0, YAML_UTF8_ENCODING) }
        try emit { yaml_document_start_event_initialize(&$0, nil, nil, nil, 1) }
        try value(node)
        try emit { yaml_document_end_event_initialize(&$0, 1) }
        try emit { yaml_stream_end_event_initialize(&$0) }
    }

    private func value(_ node: SettingsNode) throws(Failure) {
        switch node.content {
        case .scalar(let scalar): try self.scalar(scalar)
        case .sequence(let elements):
            try emit {
                yaml_sequence_start_event_initialize(&$0, nil, nil, 1, YAML_BLOCK_SEQUENCE_STYLE)
            }
            for element in elements { try value(element) }
            try emit { yaml_sequence_end_event_initialize(&$0) }
        case .mapping(let entries):
            try emit { yaml_mapping_start_event_initialize(&$0, nil, nil, 1, YAML_BLOCK_MAPPING_STYLE) }
            for entry in entries {
                // A name is a name, whatever it would be as a value.
                try scalar(SettingsScalar(entry.name, isQuoted: entry.name.isEmpty))
                try value(entry.value)
            }
            try emit { yaml_mapping_end_event_initialize(&$0) }
        }
    }

    private func scalar(_ scalar: SettingsScalar) throws(Failure) {
        // In single quotation marks a line end would be written as one.
        let style =
            if scalar.text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
                YAML_DOUBLE_QUOTED_SCALAR_STYLE
            } else {
                scalar.isQuoted ? YAML_SINGLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE
            }
        var text = Array(scalar.text.utf8)
        try emit { event in
            yaml_scalar_event_initialize(&event, nil, nil, &text, Int32(text.count), 1, 1, style)
        }
    }

    private func emit(_ initialize: (inout yaml_event_t) -> Int32) throws(Failure) {
        var event = yaml_event_t()
        // The emitter takes the event over, also where it fails.
        guard initialize(&event) == 1, yaml_emitter_emit(emitter, &event) == 1 else {
            throw Failure(description: emitter.pointee.problem.map { String(cString: $0) } ?? "out of memory")
        }
    }
}
