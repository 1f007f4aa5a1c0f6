import Testing

@testable import PDServer

@Suite("The bytes of all request bodies together are bounded")
struct BodyBudgetTests {
    @Test("what is taken is missing for others until the request ends")
    func shares() {
        let budget = BodyBudget(bytes: 10)
        var second = BodyBudget.Share(of: budget)
        var answers: [Bool] = []
        do {
            var first = BodyBudget.Share(of: budget)
            answers += [first.take(4), first.take(4), second.take(3), second.take(2), first.take(1)]
        }
        answers += [second.take(8), second.take(1)]
        #expect(answers == [true, true, false, true, false, true, false])
    }
}
