import PDDocument

/// Leaves private values out of a report.
///
/// The selectors of the `secret_keeping` setting name what must not leave this machine in the clear, such as
/// `plugins.geolocation.location`. This agent cannot encrypt such values, so it does not send them.
struct PrivateFields {
    private let paths: [[Substring]]

    init(selectors: [String]) {
        paths = selectors.map { $0.split(separator: ".") }
    }

    /// The results without the values that a selector names.
    func removed(from plugins: Document) -> Document {
        paths.reduce(plugins) { document, path in
            path.first == "plugins" ? Self.remove(path.dropFirst(), from: document) : document
        }
    }

    private static func remove(_ path: ArraySlice<Substring>, from document: Document) -> Document {
        guard let name = path.first.map(String.init), let value = document[name] else { return document }
        guard path.count > 1 else { return document.setting(name, to: nil) }
        return document.setting(name, to: remove(path.dropFirst(), from: value))
    }

    private static func remove(_ path: ArraySlice<Substring>, from value: Value) -> Value {
        switch value {
        case .document(let inner): .document(remove(path, from: inner))
        // As in queries, a path goes through the elements of a list.
        case .array(let values): .array(values.map { remove(path, from: $0) })
        default: value
        }
    }
}
