import Foundation
import PDToolSupport

extension StateOptions {
    /// The state directory.
    public func directory(installed: String) -> URL {
        URL(filePath: directoryPath(installed: installed), directoryHint: .isDirectory)
    }

    /// The settings file, where one is named.
    public var settingsFile: URL? { settingsPath.map { URL(filePath: $0) } }
}
