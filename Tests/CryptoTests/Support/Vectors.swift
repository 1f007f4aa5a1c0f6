import Foundation
import Testing

/// The recorded vectors of this repository, found from where this file lies.
enum Vectors {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "vectors")

    /// The bytes of a file, named from `vectors/`.
    static func bytes(_ path: String) throws -> [UInt8] {
        try Array(Data(contentsOf: root.appending(path: path)))
    }

    /// A JSON file, named from `vectors/`.
    static func json<T: Decodable>(_ path: String, as type: T.Type = T.self) throws -> T {
        try JSONDecoder().decode(T.self, from: Data(contentsOf: root.appending(path: path)))
    }
}

/// Bytes from hexadecimal digits; spaces and line ends are skipped.
func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue).map(UInt8.init)
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

extension Vectors {
    /// The folder of vectors that `Tests/Support/fetch-vectors.sh` installs, if the environment names one.
    static let fetched = ProcessInfo.processInfo.environment["PENGUINDOME_TEST_VECTORS"]

    /// A JSON file among the fetched vectors; throws where it cannot be read.
    static func fetched<T: Decodable>(_ path: String, as type: T.Type = T.self) throws -> T {
        try JSONDecoder().decode(T.self, from: fetchedData(path))
    }

    /// The content of a file among the fetched vectors; throws where it cannot be read. Its name goes to the test's
    /// output, where `make audit` counts what was read.
    static func fetchedData(_ path: String) throws -> Data {
        let data = try Data(contentsOf: URL(filePath: #require(fetched)).appending(path: path))
        print("read fetched vectors \(path)")
        return data
    }
}
