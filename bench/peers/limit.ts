// The limit: node:http alone. Checks the signature, parses the body, answers. Stores nothing.
import { serve } from './bare-receiver.ts'

serve((_received, answerOk) => answerOk())
