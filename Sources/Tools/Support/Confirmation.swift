import ArgumentParser
import Glibc

/// A question before something that cannot be undone.
public struct Confirmation: ParsableArguments {
    /// Whether the answer was given beforehand.
    @Flag(name: .shortAndLong, help: "Do not ask.")
    public var yes = false

    /// Needed by the argument parser.
    public init() {}

    /// Asks on the terminal, unless it was said not to.
    ///
    /// - Parameters:
    ///   - question: what is about to happen, in one line or several, without the question mark.
    ///   - otherwise: what is said where the answer is no.
    /// - Throws: ``ToolFailure`` with exit code 4 where the answer is no, with 2 where there is nobody to ask.
    public func ask(_ question: String, otherwise: String = "nothing was changed") throws(ToolFailure) {
        guard !yes else { return }
        guard isatty(STDIN_FILENO) == 1 else {
            throw ToolFailure(
                .usage, "\(question): there is no terminal to ask on, so say --yes if you mean it")
        }
        ToolFailure.warn("\(question).")
        let prompt = Array("Go on? [y/N] ".utf8)
        _ = prompt.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        guard ["y", "yes"].contains(readLine()?.lowercased()) else { throw ToolFailure(.refused, otherwise) }
    }
}
