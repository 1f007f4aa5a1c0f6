import Foundation

/// The inputs that a fuzz target starts from.
enum Seeds {
    /// Writes them into the folder that Fuzz/run.sh names.
    static func write(_ inputs: [[UInt8]]) {
        guard let folder = ProcessInfo.processInfo.environment["FUZZ_SEEDS"] else { return }
        for (index, input) in inputs.enumerated() {
            do {
                try Data(input).write(to: URL(filePath: folder).appending(path: "seed-\(index)"))
            } catch {
                fatalError("\(error)")
            }
        }
    }

    /// The same for texts.
    static func write(_ inputs: [String]) { write(inputs.map { Array($0.utf8) }) }
}
