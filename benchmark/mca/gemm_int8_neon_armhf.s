vld1.8 {d0-d3}, [r3]!
vld1.8 {d4-d7}, [r1]!
vmull.s8 q4, d0, d4
vmull.s8 q5, d2, d4
vmull.s8 q6, d0, d6
vmull.s8 q7, d2, d6
vmlal.s8 q4, d1, d5
vmlal.s8 q5, d3, d5
vmlal.s8 q6, d1, d7
vmlal.s8 q7, d3, d7
vpadal.s16 q8, q4
vpadal.s16 q9, q5
vpadal.s16 q15, q6
vpadal.s16 q13, q7
vld1.8 {d4-d7}, [r1]!
vmull.s8 q4, d0, d4
vmull.s8 q5, d2, d4
vmull.s8 q6, d0, d6
vmull.s8 q7, d2, d6
vmlal.s8 q4, d1, d5
vmlal.s8 q5, d3, d5
vmlal.s8 q6, d1, d7
vmlal.s8 q7, d3, d7
vpadal.s16 q11, q4
vpadal.s16 q10, q5
vpadal.s16 q14, q6
vpadal.s16 q12, q7
vld1.8 {d0-d3}, [r3]!
vld1.8 {d4-d7}, [r1]!
vmull.s8 q4, d0, d4
vmull.s8 q5, d2, d4
vmull.s8 q6, d0, d6
vmull.s8 q7, d2, d6
vmlal.s8 q4, d1, d5
vmlal.s8 q5, d3, d5
vmlal.s8 q6, d1, d7
vmlal.s8 q7, d3, d7
vpadal.s16 q8, q4
vpadal.s16 q9, q5
vpadal.s16 q15, q6
vpadal.s16 q13, q7
vld1.8 {d4-d7}, [r1]!
vmull.s8 q4, d0, d4
vmull.s8 q5, d2, d4
vmull.s8 q6, d0, d6
vmull.s8 q7, d2, d6
vmlal.s8 q4, d1, d5
vmlal.s8 q5, d3, d5
vmlal.s8 q6, d1, d7
vmlal.s8 q7, d3, d7
vpadal.s16 q11, q4
vpadal.s16 q10, q5
vpadal.s16 q14, q6
vpadal.s16 q12, q7
subs r2, #2
bcs out
out:
