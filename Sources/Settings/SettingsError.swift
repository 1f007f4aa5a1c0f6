/// What is wrong with a settings file, and where: one line for people.
public struct SettingsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file as it was named when it was read.
    public let file: String
    /// The line, counted from 1; nothing where the file as a whole is meant.
    public let line: Int?
    /// What is wrong, and what to do about it.
    public let message: String

    /// An error at a place.
    public init(file: String, line: Int?, message: String) {
        self.file = file
        self.line = line
        self.message = message
    }

    /// `file:line: message`.
    public var description: String {
        line.map { "\(file):\($0): \(message)" } ?? "\(file): \(message)"
    }
}
