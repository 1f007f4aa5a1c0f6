import PDProtocol
import Testing

@testable import PDClient

@Suite("The name that a machine reports as")
struct HostnameTests {
    @Test("is the kernel's, where that is a host name", arguments: ["laptop-1", "a.example.org", "LAPTOP_2"])
    func plain(name: String) {
        #expect(Hostname(kernelName: Array(name.utf8), machineID: []).name == name)
    }

    @Test(
        "is made safe, and tells machines apart, where the kernel's is not",
        arguments: [
            "", "localhost", "(none)", "caf\u{e9}", "-laptop", "ann's laptop",
            String(repeating: "x", count: 65), "\u{0}\u{1B}[2J",
        ])
    func unsafe(name: String) {
        let one = Hostname(kernelName: Array(name.utf8), machineID: Array("1".utf8))
        let other = Hostname(kernelName: Array(name.utf8), machineID: Array("2".utf8))
        #expect(one != other)
        #expect(Hostname(one.name) == one)
        #expect(one == Hostname(kernelName: Array(name.utf8), machineID: Array("1".utf8)))
    }
}
