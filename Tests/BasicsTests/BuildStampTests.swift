import PDBasics
import Testing

@Suite("What a build says it is")
struct BuildStampTests {
    @Test("begins with the version, and says what it was made of")
    func text() throws {
        #expect(BuildStamp.version.split(separator: ".").compactMap { Int($0) }.count == 3)
        #expect(BuildStamp.text.hasPrefix("\(BuildStamp.version) ("))
        if let commit = BuildStamp.commit {
            #expect(BuildStamp.text.contains(commit))
        } else {
            #expect(BuildStamp.text.hasSuffix("(development build)"))
        }
    }
}
