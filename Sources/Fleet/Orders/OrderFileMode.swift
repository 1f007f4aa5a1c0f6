import PDProtocol
import PDStore

extension Order.File {
    /// A file that hosts are to get.
    ///
    /// - Parameters:
    ///   - mode: its permission bits; those of a program where nothing is said and it begins like one.
    /// - Throws: ``FleetError`` where it could never do what its place is for: a collector that nobody may run, or a command
    ///   that no order asks for. An agent would take it, say that it is done, and leave it there.
    package init(placing path: String, mode: Int?, content: [UInt8]) throws(FleetError) {
        let isProgram =
            content.starts(with: Array("#!".utf8)) || content.starts(with: [0x7F] + Array("ELF".utf8))
        let mode = mode ?? (isProgram ? 0o755 : 0o644)
        if isProgram, mode & 0o100 == 0,
            OrderStatement.pluginFolders.contains(where: { path.hasPrefix($0 + "/") })
        {
            throw FleetError(
                .usage, "\(path) would never run with mode \(String(mode, radix: 8)): give it 755")
        }
        guard !path.hasPrefix(OrderStatement.commandFolder + "/") else {
            throw FleetError(
                .usage, "\(path) would never run: pd-admin commands run orders a command")
        }
        self.init(path: path, mode: mode, content: content)
    }
}
