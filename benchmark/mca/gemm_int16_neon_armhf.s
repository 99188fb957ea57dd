mov r7, r1
adds r1, #32
vld1.8 {d6-d7}, [r4]!
vld1.8 {d20-d21}, [r7]!
vld1.8 {d26-d27}, [r7]
vmlal.s16 q9, d21, d6[0]
vmlal.s16 q8, d20, d6[0]
vmlal.s16 q11, d21, d6[2]
vmlal.s16 q5, d20, d6[2]
vmlal.s16 q6, d20, d7[0]
vmlal.s16 q4, d20, d7[2]
vmlal.s16 q7, d21, d7[0]
vmlal.s16 q14, d21, d7[2]
vorr q12, q9, q9
vmlal.s16 q8, d26, d6[1]
vorr q10, q11, q11
vmlal.s16 q5, d26, d6[3]
vmlal.s16 q6, d26, d7[1]
vorr q9, q8, q8
vmlal.s16 q4, d26, d7[3]
vmlal.s16 q12, d27, d6[1]
vmlal.s16 q10, d27, d6[3]
vmlal.s16 q7, d27, d7[1]
vmlal.s16 q14, d27, d7[3]
mov r7, r1
adds r1, #32
vld1.8 {d6-d7}, [r4]!
vld1.8 {d16-d17}, [r7]!
vmlal.s16 q9, d16, d6[0]
vld1.8 {d26-d27}, [r7]
vmlal.s16 q10, d17, d6[2]
vorr q11, q9, q9
vorr q9, q12, q12
vmlal.s16 q5, d16, d6[2]
vmlal.s16 q6, d16, d7[0]
vmlal.s16 q4, d16, d7[2]
vmlal.s16 q9, d17, d6[0]
vmlal.s16 q7, d17, d7[0]
vmlal.s16 q14, d17, d7[2]
vmlal.s16 q10, d27, d6[3]
vorr q8, q11, q11
vmlal.s16 q5, d26, d6[3]
vmlal.s16 q6, d26, d7[1]
vmlal.s16 q4, d26, d7[3]
vmlal.s16 q8, d26, d6[1]
vmlal.s16 q9, d27, d6[1]
vorr q11, q10, q10
vmlal.s16 q7, d27, d7[1]
vmlal.s16 q14, d27, d7[3]
subs r0, #2
sbc.w ip, ip, #0
cmp r0, #2
sbcs.w r7, ip, #0
bge out
out:
