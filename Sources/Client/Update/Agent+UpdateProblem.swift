import PDDocument
import PDFiles

extension Agent {
    /// Keeps what the last update came to, to be reported as part of `integrity`.
    ///
    /// - Parameter problem: why there is no newer release; nothing after an update that went well.
    public func noteUpdate(problem: String?) throws(FileError) {
        try Files.makePrivateDirectory(state.releases)
        let document: Document = ["update": problem.map(Value.string) ?? .null]
        try Files.writeAtomically(Array(document.json().utf8), to: "\(state.releases)/problem.json")
    }
}
